"""Ray Serve, with @serve.batch."""

import signal
from typing import Annotated, Any

import ray
import typer
from ray import serve
from starlette.requests import Request

from benchmarks.peers import BATCH, PATIENCE_S
from benchmarks.peers.poets import writer


class Poems:
    """Writes the requests that come together in one batch."""

    def __init__(self, poet: str) -> None:
        self._writer = writer(poet)

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=PATIENCE_S)  # type: ignore[untyped-decorator]
    async def write(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write a batch."""
        return self._writer.write(batch)

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Answer a request."""
        answer: dict[str, Any] = await self.write(await request.json())
        return answer


def main(port: Annotated[int, typer.Option()], poet: str = "torch") -> None:
    """Serve."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    options = {"max_ongoing_requests": 4 * BATCH, "ray_actor_options": {"num_cpus": 1}}
    serve.run(serve.deployment(**options)(Poems).bind(poet), route_prefix="/generate")
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    ray.shutdown()


if __name__ == "__main__":
    typer.run(main)
