"""The command line: yin generate, yin check, yin forms, yin serve; the desk is in desk_cli.py.

What only one command needs is imported there: PyTorch takes a second that --help need not wait.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.asking import ask, write, write_live
from app.desk_cli import revise_command, rhymes_command
from app.exits import REFUSED, WRONG, Commands, exit_on, loading, refuse
from app.terminal import write_what_can_be_written

SPINS = "3000"  # turns that a thread waits awake: 43 ms a quatrain with them, 89 without

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Classical Chinese poems by an LSTM: write them, revise them, judge them, serve them.\n\n"
    "A poem: `yin generate 日 --form 七绝`\n\n"
    "What else could stand in it: `yin revise 白日依山尽，黄河入海流。 --spot 2.1`\n\n"
    "Whether a poem keeps the rules: `yin generate | yin check`",
    epilog="Exit codes: 0 done, 1 refused or not regulated, 2 invalid input, 3 no service found.",
    rich_markup_mode="markdown",
)


def show_version(wanted: bool) -> None:
    """Print the version and exit, if it is asked for.

    Raises:
        typer.Exit: If it is.
    """
    if wanted:
        from importlib.metadata import version

        typer.echo(f"yin {version('yin-poetry')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that stand before a command; the application has its help."""


@app.command()
def generate(
    context: typer.Context,
    start: Annotated[str | None, typer.Argument(help="First characters, at most a line.")] = None,
    length: Annotated[int | None, typer.Option(help="Han characters, 10 to 200.")] = None,
    temperature: Annotated[float, typer.Option(help="0 (tidy) to 2 (wild).")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw among the k likeliest.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw among the fewest with this share.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same poem.")] = None,
    form: Annotated[str | None, typer.Option(help="七绝, jueju-7 …, or a tune.")] = None,
    meter: Annotated[str | None, typer.Option(help="strict, rhyme or free.")] = None,
    opening: Annotated[
        str | None, typer.Option(help="First lines, for the poem to continue.")
    ] = None,
    novel: Annotated[
        bool | None,
        typer.Option(help="Use no line of the corpus; by default one is used if no other fits."),
    ] = None,
    rare: Annotated[bool, typer.Option(help="Draw rare characters, too.")] = False,
    acrostic: Annotated[str | None, typer.Option(help="First characters of the lines.")] = None,
    rhyme: Annotated[
        str | None, typer.Option(help="The rhyme group, such as 七阳, or a character in it.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="仄起 or 平起, 首句入韵 or 首句不入韵, or both.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="What the poem is about.")] = None,
    theme: Annotated[str | None, typer.Option(help="The same in free words.")] = None,
    author: Annotated[
        str | None, typer.Option(help="The poet to write like, such as 李白.")
    ] = None,
    era: Annotated[str | None, typer.Option(help="tang or song.")] = None,
    script: Annotated[str, typer.Option(help="simplified or traditional.")] = "simplified",
    n: Annotated[int, typer.Option(help="How many poems.")] = 1,
    guidance: Annotated[float | None, typer.Option(help="Weight of the title, 0 to 5.")] = None,
    candidates: Annotated[int | None, typer.Option(help="Ways to write each poem.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer.")] = False,
    vertical: Annotated[bool, typer.Option(help="Print columns from right to left.")] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print the first poem as it is written.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="A running service to ask, or localhost:8000.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="YIN_KEY", help="The service's key.")] = None,
) -> None:
    """Write a poem, or several.

    A quatrain that begins with 日: `yin generate 日`

    Eight lines on a title, after a poet: `yin generate --form 七律 --title 登楼 --author 杜甫`

    A ci to a tune that `yin forms` lists: `yin generate --form 浣溪沙`

    Hidden first characters, in columns: `yin generate --acrostic 春夏秋冬 --vertical`

    Four that keep close to their title: `yin generate --title 雪夜 --guidance 4 --n 4`

    On anything, in any words: `yin generate --theme 想念在上海的外婆`

    To rhyme with a character, in a pattern: `yin generate --rhyme 花 --pattern 仄起首句入韵`

    As it is written: `yin generate 月 --form 七律 --stream`

    For a program, from a running service: `yin generate --json --url http://127.0.0.1:8000`
    """
    from app.schemas import GenerateRequest
    from app.typesetting import columns, describe_theme, rows

    given = context.params
    fields = {
        name: given[name] for name in GenerateRequest.model_fields if given.get(name) is not None
    }
    if stream and (as_json or vertical):
        refuse(f"stream: {'--json' if as_json else '--vertical'} prints a poem once it stands")
    if stream:
        answer = write_live(fields, url, key)
    else:
        answer = write(fields) if url is None else ask(url, key, lambda c: c.generate(**fields))
    if as_json:
        typer.echo(answer.model_dump_json(indent=1))
        return
    for number, poem in enumerate(answer.poems):
        if number or not stream:
            typer.echo(("\n" if number else "") + (columns(poem) if vertical else rows(poem)))
        theme = f"; {describe_theme(poem)}" if poem.keywords else ""
        typer.echo(f"— {poem.form}, seed {poem.seed}{theme}")


@app.command("check")
def check_command(
    file: Annotated[Path | None, typer.Argument(help="A poem; standard input if absent.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole proof.")] = False,
) -> None:
    """Judge a poem by the rules of regulated verse, or a ci by its tune; exit with 1 if it fails.

    From a file: `yin check poem.txt`

    From another program: `echo 白日依山尽，黄河入海流。欲穷千里目，更上一层楼。 | yin check`

    What `yin generate` prints, in rows or columns: `yin generate --n 2 --vertical | yin check`

    Each line is shown with its tones, ○ for 平 and ● for 仄, or △ and ▲ where it rhymes; under them
    the rules, each that is broken with the places: × 平仄 2,4 is line 2, character 4.
    """
    from app.printed import read_printed
    from app.typesetting import decoded, marked
    from model.verse.judge import judge

    if file is None and sys.stdin.isatty():
        typer.echo("type a poem, then Ctrl-D:", err=True)
    with exit_on(OSError, ValueError, code=WRONG):
        if file is not None and (file.is_dir() or not file.exists()):
            refuse(
                f"file: must be a file, and {file} is {'a directory' if file.exists() else 'none'}"
            )
        text = decoded(file.read_bytes() if file else sys.stdin.buffer.read())
        proofs = [judge(poem) for poem in read_printed(text)]
    if as_json:
        found = [proof.to_dict() for proof in proofs]
        typer.echo(json.dumps(found if proofs[1:] else found[0], ensure_ascii=False, indent=1))
    else:
        typer.echo("\n\n".join(map(marked, proofs)))
    raise typer.Exit(0 if all(proof.regulated for proof in proofs) else REFUSED)


app.command("revise")(revise_command)
app.command("rhymes")(rhymes_command)


@app.command("forms")
def forms_command(
    name: Annotated[str | None, typer.Argument(help="A form or a tune; all if absent.")] = None,
) -> None:
    """List forms and tunes, or show how a tune runs.

    All of them: `yin forms`

    The tones and rhymes of one: `yin forms 浣溪沙`
    """
    from app.listing import listed

    with exit_on(ValueError, code=WRONG):
        for row in listed(name):
            typer.echo(row)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; YIN_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; YIN_PORT.")] = None,
) -> None:
    """Serve over HTTP: the page, the API and its description.

    On another port: `yin serve --port 8080`

    For others in the network, each with a key: `YIN_API_KEYS=keys.txt yin serve --host 0.0.0.0`

    Everything else is set in the environment, by the names of app/settings.py after YIN_:
    YIN_CHECKPOINT, YIN_DEVICE, YIN_THREADS, YIN_NUM_SLOTS, YIN_MAX_QUEUE_STEPS, YIN_DEADLINE_S,
    YIN_RATE_LIMIT, YIN_TRUSTED_PROXIES, YIN_LOG_LEVEL.
    """
    let_waiting_threads_sleep()
    import asyncio
    import signal

    import structlog

    from app.log import configure_log
    from app.main import create_app
    from app.server import Server, check_address, configuration, listening, url_of
    from app.service import Service
    from app.settings import Settings

    given: dict[str, Any] = {"host": host, "port": port}
    given = {name: value for name, value in given.items() if value is not None}
    with loading(given):
        settings = Settings(**given)
        check_address(settings)
        service = Service.load(settings)
        sockets = listening(settings)
    configure_log(settings.log_level)
    structlog.get_logger().info(
        "starting",
        address=url_of(settings),
        threads=settings.num_threads,
        slots=settings.num_slots,
        **service.model.model_dump(),
    )
    server = Server(configuration(create_app(service=service), settings), service, settings.drain_s)
    # All this stays: to look for garbage in it would hold every poem up for 0.2 s now and then.
    gc.collect()
    gc.freeze()
    # uvicorn puts back what it finds: a signal that comes again at the end would be an exit of 143.
    signal.signal(signal.SIGTERM, server.handle_exit)
    asyncio.run(server.serve(sockets))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if not server.started or service.engine.failed.is_set():
        raise typer.Exit(REFUSED)


@app.command("mcp")
def mcp_command(
    url: Annotated[str | None, typer.Option(help="A running service to ask.")] = None,
    key: Annotated[str | None, typer.Option(envvar="YIN_KEY", help="The service's key.")] = None,
) -> None:
    """Serve tools to a language model over standard input and output (MCP).

    With a service of its own: `yin mcp`

    With one that runs: `yin mcp --url http://127.0.0.1:8000`
    """
    from app.agent import serve_tools

    serve_tools(url, key)


def let_waiting_threads_sleep() -> None:
    """Let threads that compute together sleep soon while they wait for each other.

    Before PyTorch is loaded. They would spin for milliseconds, and where anything else computes on
    the same processors a step would take many times as long; to wake one that sleeps takes longer
    than most of a step's operations. The turns are about as many as the shorter waits take.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # GNU's library counts turns


def main() -> None:
    """Run the command line."""
    write_what_can_be_written()
    try:
        app()
    except OSError as error:  # such as a full disk under standard output
        sys.exit(f"error: {error}")
