"""The document of the streams; FastAPI serves the one of the routes."""

from functools import cache
from importlib.metadata import version

from fastapi import APIRouter

from jobs.model import JsonObject
from service import asyncapi

router = APIRouter(include_in_schema=False)


@router.get("/asyncapi.json")
async def messages() -> JsonObject:
    """What is said while a job is followed, as AsyncAPI 3."""
    return _document()


@cache
def _document() -> JsonObject:
    return asyncapi.document(version=version("jobstream"))
