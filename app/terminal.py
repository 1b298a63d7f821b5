"""What a terminal can show of Chinese characters."""

import sys
from io import TextIOWrapper

import typer

UTF8_HELPS = "with PYTHONIOENCODING=utf-8, and a terminal that shows it, they are written"


def write_what_can_be_written() -> None:
    """Let a terminal without Chinese characters get question marks, and the way out."""
    try:
        "吟".encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")
        typer.echo(f"hint: {sys.stdout.encoding} has no such characters; {UTF8_HELPS}", err=True)
