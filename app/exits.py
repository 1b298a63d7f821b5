"""Exits: what the command line prints when something goes wrong, and its exit codes."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from pydantic import ValidationError

    from app.client import Refused
    from app.errors import UnacceptableRequest

REFUSED, WRONG, UNREACHABLE = 1, 2, 3  # exit codes


UNREAD = {  # what an option that is no number is told, by a word of typer's own message
    "exceeded": "must have fewer digits",
    "integer": "must be a whole number",
    "number": "must be a number",
    "float": "must be a number",
}


class Commands(TyperGroup):
    """The commands; an option that cannot be read is refused as any other field is."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command.

        Raises:
            typer.Exit: If an option is no number, after a message.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            said = next((say for word, say in UNREAD.items() if word in error.message), None)
            if said is None or error.param is None:
                raise
            refuse(f"{error.param.name}: {said}")


@contextmanager
def exit_on(
    *errors: type[Exception],
    code: int | Callable[[Any], int],
    describe: Callable[[Any], str] = str,
) -> Iterator[None]:
    """Print an error of these types and exit.

    Args:
        errors: Whose types; others pass.
        code: The exit code, or what finds it.
        describe: Returns the message.

    Raises:
        typer.Exit: After such an error.
    """
    try:
        yield
    except errors as error:
        typer.echo(f"error: {describe(error)}", err=True)
        raise typer.Exit(code if isinstance(code, int) else code(error)) from error


def refuse(message: str) -> NoReturn:
    """Print what would be right and exit.

    Raises:
        typer.Exit: Always.
    """
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(WRONG)


def describe_fields(error: ValidationError) -> str:
    """Return pydantic's errors as the service describes them."""
    from app.errors import describe_detail
    from app.saying import sayings

    errors = sayings(error.errors())
    return describe_detail([{**each, "loc": ("body", *each["loc"])} for each in errors])


def describe_settings(error: ValidationError, options: Container[str] = ()) -> str:
    """Return pydantic's errors of settings, each by the name that it is set by.

    Args:
        error: What is wrong.
        options: The settings that options of the command line name.
    """
    from app.errors import describe_detail
    from app.saying import sayings

    return describe_detail(
        [
            {**each, "loc": ("setting", _name_of(str(each["loc"][0]), options))}
            for each in sayings(error.errors())
        ]
    )


def _name_of(setting: str, options: Container[str]) -> str:
    return f"--{setting}" if setting in options else f"YIN_{setting.upper()}"


def describe_unacceptable(error: UnacceptableRequest) -> str:
    """Return which field cannot be met, and why."""
    return f"{error.field}: {error.message}"


def describe_memory(error: MemoryError) -> str:
    """Return what there is too little memory for."""
    return f"there is not enough memory to load the model: {error}"


def code_of_refusal(error: Refused) -> int:
    """Return the exit code for what a service refused; 200 is the answer of another service."""
    return {422: WRONG, 404: WRONG, 200: UNREACHABLE}.get(error.status, REFUSED)


@contextmanager
def loading(options: Container[str] = ()) -> Iterator[None]:
    """Exit with a message if the model cannot be loaded.

    Args:
        options: The settings that options of the command line name.
    """
    from pydantic import ValidationError

    from app.settings import InvalidSetting
    from model.checkpoint import CheckpointError
    from model.poet.line_filter import LineFilterError

    with (
        exit_on(MemoryError, code=REFUSED, describe=describe_memory),
        exit_on(ValueError, OSError, code=REFUSED),
        exit_on(CheckpointError, LineFilterError, code=WRONG),
        exit_on(
            ValidationError,
            code=WRONG,
            describe=lambda error: describe_settings(error, options),
        ),
        exit_on(
            InvalidSetting,
            code=WRONG,
            describe=lambda error: f"{_name_of(error.setting, options)}: {error.message}",
        ),
    ):
        try:
            yield
        except RuntimeError as error:
            if "memory" not in str(error):  # torch's only sign
                raise
            raise MemoryError(str(error)) from error
