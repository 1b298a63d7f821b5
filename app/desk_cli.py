"""The desk in a terminal: yin revise and yin rhymes."""

import re
import sys
from typing import Annotated, Any

import typer

from app.exits import WRONG, exit_on, refuse

Url = Annotated[str | None, typer.Option(help="A running service to ask, or localhost:8000.")]
Key = Annotated[str | None, typer.Option(envvar="YIN_KEY", help="The service's key.")]
Json = Annotated[bool, typer.Option("--json", help="Print the API's answer.")]


def revise_command(
    text: Annotated[
        str | None, typer.Argument(help="A poem, with □ to fill; standard input if absent.")
    ] = None,
    line: Annotated[int | None, typer.Option(help="The line to replace, from 1.")] = None,
    spot: Annotated[
        list[str] | None,
        typer.Option(help="A character to replace, such as 4.1: line, character. Several times."),
    ] = None,
    n: Annotated[int, typer.Option(help="Suggestions at most, 1 to 16.")] = 16,
    title: Annotated[str | None, typer.Option(help="What the poem is about.")] = None,
    author: Annotated[
        str | None, typer.Option(help="The poet to write like, such as 李白.")
    ] = None,
    era: Annotated[str | None, typer.Option(help="tang or song.")] = None,
    guidance: Annotated[float | None, typer.Option(help="Weight of the title, 0 to 5.")] = None,
    temperature: Annotated[float, typer.Option(help="0 (tidy) to 2 (wild).")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="The same seed suggests the same.")] = None,
    rare: Annotated[bool, typer.Option(help="Suggest rare characters, too.")] = False,
    novel: Annotated[
        bool, typer.Option(help="Suggest nothing that makes a line of the corpus.")
    ] = True,
    script: Annotated[
        str | None, typer.Option(help="simplified or traditional; as the poem if absent.")
    ] = None,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Suggest what may stand at some places of a poem, or in place of a line; the best first.

    A character: `yin revise 白日依山尽，黄河入海流。欲穷千里目，更上一层楼。 --spot 4.1`

    A line: `yin revise 白日依山尽，黄河入海流。欲穷千里目，更上一层楼。 --line 3 --title 登楼`

    What is missing: `echo 白日依山尽，黄河入海流。□□千里目，更上一层楼。 | yin revise`

    Every suggestion keeps the rules that the rest of the poem keeps.
    """
    from app.asking import ask, revise
    from app.typesetting import suggested

    fields: dict[str, Any] = {
        "text": _read() if text is None else text,
        "line": line,
        "spots": [_spot_of(each) for each in spot] if spot else None,
        "n": n,
        "title": title,
        "author": author,
        "era": era,
        "guidance": guidance,
        "temperature": temperature,
        "seed": seed,
        "rare": rare,
        "novel": novel,
        "script": script,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    answer = revise(fields) if url is None else ask(url, key, lambda c: c.revise(**fields))
    typer.echo(answer.model_dump_json(indent=1) if as_json else suggested(answer))


def rhymes_command(
    name: Annotated[str, typer.Argument(help="One character, or a rhyme group such as 七阳.")],
    script: Annotated[str, typer.Option(help="simplified or traditional.")] = "simplified",
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Show how a character is read and what rhymes with it, or what rhymes in a group.

    What rhymes with a character, the most used first: `yin rhymes 看`

    What rhymes in a group, in traditional script: `yin rhymes 七阳 --script traditional`
    """
    from app.asking import ask, look_up
    from app.typesetting import rhyming
    from model.verse.script import Script

    if script not in [*Script]:
        refuse(f"script: must be simplified or traditional, not {script!r}")
    if url is None:
        answer = look_up(name, script)
    else:
        answer = ask(url, key, lambda client: client.rhymes(name, script))
    typer.echo(answer.model_dump_json(indent=1) if as_json else rhyming(answer))


def _read() -> str:
    """Return the poem of standard input."""
    from app.typesetting import decoded

    if sys.stdin.isatty():
        typer.echo("type a poem, then Ctrl-D:", err=True)
    with exit_on(ValueError, code=WRONG):
        return decoded(sys.stdin.buffer.read())


def _spot_of(text: str) -> list[int]:
    """Return the line and the character of a place such as 4.1."""
    if not re.fullmatch(r"[1-9]\d{0,2}[.,][1-9]\d{0,2}", text, re.ASCII):
        refuse(f"spot: must be line and character, both from 1, such as 4.1, not {text!r}")
    return [int(number) for number in re.split("[.,]", text)]
