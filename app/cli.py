"""The command line: yin serve, yin generate, yin check."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import structlog
import typer
import uvicorn

from app.main import create_app
from app.schemas import MeterOut
from app.settings import Settings
from model.checkpoint import CheckpointError
from model.prosody import check

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


class Server(uvicorn.Server):
    """uvicorn's server, which tells the service of a signal before it waits for connections."""

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Take no new poems, let those in flight end, and then exit with 0."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
        state = self.config.app.state  # type: ignore[union-attr]
        if hasattr(state, "service"):
            state.service.engine.draining = True


@app.command()
def serve() -> None:
    """Serve over HTTP; the environment (YIN_HOST, YIN_PORT, YIN_CHECKPOINT …) says how."""
    settings = Settings()
    configure_logging(settings.log_level)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_s) + 2,
    )
    server = Server(config)
    asyncio.run(server.serve())
    if not server.started:
        raise typer.Exit(1)


def configure_logging(level: str) -> None:
    """Log JSON lines to stderr."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@app.command("check")
def check_command(
    file: Annotated[Path | None, typer.Argument(help="A poem; standard input if absent.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole proof.")] = False,
) -> None:
    """Judge a poem by the rules of regulated verse; exit with 1 if it does not keep them."""
    text = file.read_text(encoding="utf-8") if file else sys.stdin.read()
    try:
        proof = check(text)
    except ValueError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(
            json.dumps(MeterOut.model_validate(proof.to_dict()).model_dump(), ensure_ascii=False)
        )
    else:
        for line, tones in zip(proof.lines, proof.tones, strict=True):
            typer.echo(f"{line}  {tones}")
        typer.echo(f"{proof.pattern or '古體'}  韻 {proof.rhyme or '－'}")
        for name, result in proof.checks.items():
            typer.echo(f"{'○' if result.holds else '×'} {name} {result.note}".rstrip())
    raise typer.Exit(0 if proof.regulated else 1)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except CheckpointError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
