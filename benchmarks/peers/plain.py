"""A plain FastAPI route that writes one poem at a time."""

from typing import Annotated, Any

import typer
import uvicorn
from fastapi import FastAPI

from app.schemas import GenerateRequest
from benchmarks.peers.poets import writer


def main(port: Annotated[int, typer.Option()], poet: str = "torch") -> None:
    """Serve."""
    app, own = FastAPI(), writer(poet)

    # In the event loop itself: threads that compute side by side would only slow each other.
    @app.post("/generate")
    async def generate(body: GenerateRequest) -> dict[str, Any]:
        return own.write([body.model_dump(mode="json", exclude_none=True)])[0]

    uvicorn.run(app, port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    typer.run(main)
