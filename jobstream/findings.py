"""What is misconfigured, each with what mends it."""

from pydantic import BaseModel, ConfigDict


class Finding(BaseModel):
    """One thing that is misconfigured: a code that stays, what is wrong, and what to do. None holds a secret."""

    model_config = ConfigDict(frozen=True)

    code: str
    detail: str
    mend: str


class Examination(BaseModel):
    """What one room of the product finds wrong with its own settings, and which variables it reads."""

    findings: tuple[Finding, ...]
    variables: tuple[str, ...] = ()
