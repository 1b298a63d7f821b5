"""What the commands have in common: how they report an error, and a configuration as options."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from training.config import TrainConfig

MinCount = Annotated[
    int | None,
    typer.Option(help="How often a character must occur to get a token; else follows the corpus."),
]
MinPoems = Annotated[int, typer.Option(help="How many poems an author must have to get a token.")]
MaxTunes = Annotated[
    int, typer.Option(min=0, help="How many tunes of ci get a token, the commonest.")
]


@contextmanager
def reporting(*errors: type[Exception]) -> Iterator[None]:
    """Report these errors in one line and exit with 1."""
    try:
        yield
    except errors as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def configured(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that has an option for each field of TrainConfig instead of a config.

    Args:
        command: Takes a TrainConfig as config, and options of its own.
    """
    own = inspect.signature(command).parameters.values()
    hints = get_type_hints(TrainConfig, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    options = [
        inspect.Parameter(f.name, keyword, default=f.default, annotation=hints[f.name])
        for f in fields(TrainConfig)
    ]

    @wraps(command)
    def run(**values: Any) -> None:
        chosen = {option.name: values.pop(option.name) for option in options}
        try:
            config = TrainConfig(**chosen)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        command(config=config, **values)

    parameters = [p.replace(kind=keyword) for p in own if p.name != "config"] + options
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
    return run
