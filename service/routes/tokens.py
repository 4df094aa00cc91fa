"""Tokens for browsers, and the cookie that holds one."""

import time
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from jobs.errors import InvalidInput
from jobs.kind import DAY_SECONDS, HOUR_SECONDS, MEBIBYTE
from service.api import AccessOf, ApiOf
from service.auth import COOKIE, OPERATOR_COOKIE
from service.body import described, read_json
from service.credentials import Browser, Operator, Token
from service.errors import Forbidden
from service.submission import violations

router = APIRouter(prefix="/v1", tags=["tokens"])

OPERATOR_SECONDS = 8 * HOUR_SECONDS

Scope = Annotated[str, StringConstraints(pattern=r"^(read|cancel|submit:[a-z0-9-]{1,64})$")]


class TokenBody(BaseModel):
    """The body of `POST /v1/tokens`; `ttl` in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=64)]
    ttl: Annotated[int, Field(ge=1, le=DAY_SECONDS, strict=True)] = 900


@router.post("/tokens", status_code=201, openapi_extra=described(TokenBody))
async def mint(request: Request, api: ApiOf, access: AccessOf) -> Token:
    """A short-lived token for one subject's page; for the service secret alone."""
    access.check_mint()
    try:
        body = TokenBody.model_validate(await read_json(request, limit=MEBIBYTE))
    except ValidationError as error:
        raise InvalidInput("The token cannot be made.", violations=violations(error)) from None
    return api.keyring.browser_token(body.subject, frozenset(body.scopes), seconds=body.ttl)


@router.post("/session", status_code=204)
async def session(request: Request, api: ApiOf, access: AccessOf) -> Response:
    """The caller's browser token, or a stand-in for the operator's secret, as a cookie that scripts cannot read."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    response = Response(status_code=204)
    match access.caller:
        case Browser(expires=expires) if scheme.lower() == "bearer":
            set_cookie(response, token.strip(), seconds=round(expires - time.time()))
        case Operator() if scheme.lower() == "bearer":
            held = api.keyring.operator_token(seconds=OPERATOR_SECONDS)
            set_cookie(response, held.token, seconds=OPERATOR_SECONDS, name=OPERATOR_COOKIE)
        case _:
            raise Forbidden("A browser token or the operator's secret, sent as a bearer token, becomes a cookie.")
    return response


def set_cookie(response: Response, token: str, *, seconds: int, name: str = COOKIE) -> None:
    """Hand the token to the browser, for this host's own pages alone."""
    response.set_cookie(name, token, max_age=max(seconds, 0), path="/", secure=True, httponly=True, samesite="strict")
