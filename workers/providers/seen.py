"""What we look at in an SDK's objects: checked here, because the SDKs hand on whatever the wire brought."""

from pydantic import BaseModel, ConfigDict


class Seen(BaseModel):
    """The fields that matter to us, read off an SDK's object; all others may be as they like."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Kind(Seen):
    """An event that says of which type it is."""

    type: str
