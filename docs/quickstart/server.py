"""The server of a page of your own: it submits with the secret, and hands the page what reads that one job."""

from pathlib import Path
from typing import Annotated

from fastapi import Body, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from jobstream.client import AsyncClient

HERE = Path(__file__).parent

app = FastAPI()
app.mount("/jobstream", StaticFiles(directory=HERE.parent.parent / "web"))  # client.js; it needs no build


@app.get("/")
async def page() -> FileResponse:
    """The page."""
    return FileResponse(HERE / "page.html")


@app.post("/ask")
async def ask(question: Annotated[str, Body(embed=True)]) -> dict[str, str | None]:
    """A chat with every provider, for one of your users."""
    async with AsyncClient() as jobstream:
        job = await jobstream.submit("chat", {"message": question}, subject="user-42")
    return {"id": job.id, "token": job.stream_token}
