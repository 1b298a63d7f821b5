"""LitServe, with its batching on."""

from typing import Annotated, Any

import litserve
import typer

from benchmarks.peers import BATCH, PATIENCE_S
from benchmarks.peers.poets import Writer, writer


class Poems(litserve.LitAPI):  # type: ignore[misc]
    """Writes the requests that come together in one batch."""

    def __init__(self, poet: str) -> None:
        super().__init__(max_batch_size=BATCH, batch_timeout=PATIENCE_S, api_path="/generate")
        self._poet = poet

    def setup(self, device: str) -> None:  # noqa: ARG002
        """Load the model, in the worker's process."""
        self._writer: Writer = writer(self._poet)

    def batch(self, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Keep the requests as they are: a list."""
        return inputs

    def predict(self, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write a batch."""
        return self._writer.write(inputs)

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Keep the answers as they are: a list."""
        return output


def main(port: Annotated[int, typer.Option()], poet: str = "torch") -> None:
    """Serve."""
    server = litserve.LitServer(Poems(poet), accelerator="cpu", timeout=False)
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    typer.run(main)
