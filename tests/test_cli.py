import gc
import json
import os
import pickle
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import httpx
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.server import Server
from app.service import Service
from app.settings import Settings
from tests.conftest import serving

run = CliRunner()


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, checkpoint_path: Path) -> None:
    monkeypatch.setenv("YIN_CHECKPOINT", str(checkpoint_path))
    monkeypatch.setenv("YIN_THREADS", "1")
    monkeypatch.setenv("YIN_DTYPE", "float32")


@pytest.fixture(scope="module")
def url(service_settings: Settings) -> Iterator[str]:
    with serving(Service.load(service_settings)) as client:
        yield str(client.base_url)


def test_a_poem_is_printed_with_its_form_and_seed() -> None:
    result = run.invoke(app, ["generate", "日", "--form", "五绝", "--seed", "7"])
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"日\w{4}，\w{5}。\n\w{5}，\w{5}。\n— jueju-5, seed 7\n", result.output)


def test_what_a_theme_was_read_as_is_printed() -> None:
    options = ["generate", "--theme", "雪夜的雲 xyzzy", "--form", "五绝", "--seed", "7"]
    last = run.invoke(app, options).output.splitlines()[-1]
    assert last == "— jueju-5, seed 7; 雪夜，雲 → 云; no word for xyzzy"


def test_more_poems_than_the_default_candidates_allow_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YIN_CANDIDATES", "32")
    result = run.invoke(app, ["generate", "--n", "3"])
    assert result.exit_code == 2
    assert "n: must be at most 2 where each poem is written in 32 ways" in result.output


def test_alone_and_from_a_service_come_the_same_poems(url: str) -> None:
    options = ["generate", "--acrostic", "春夏秋冬", "--seed", "7", "--n", "2", "--json"]
    options += ["--candidates", "3"]
    alone, served = (
        json.loads(run.invoke(app, [*options, *more]).output) for more in ([], ["--url", url])
    )
    assert alone["poems"] == served["poems"]
    assert len(alone["poems"]) == 2


def test_columns_run_from_right_to_left() -> None:
    options = ["generate", "日", "--form", "jueju-5", "--seed", "7"]
    lines = run.invoke(app, options).output.replace("\n", "").split("—")[0]
    upright = run.invoke(app, [*options, "--vertical"]).output.split("\n")
    assert len(upright[0].split("　")) == 4
    assert "".join(row.split("　")[-1] for row in upright[:5]) == lines[:5]


def test_a_title_stands_above_the_poem_or_in_the_first_column() -> None:
    options = ["generate", "--title", "日月", "--form", "jueju-5", "--seed", "7"]
    assert run.invoke(app, options).output.startswith("日月\n")
    upright = run.invoke(app, [*options, "--vertical"]).output.split("\n")
    assert [row.split("　")[-1] for row in upright[:3]] == ["日", "月", ""]
    assert {len(row) for row in upright[:5]} == {9}  # full-width all of it: columns are straight


@pytest.mark.parametrize(
    "options",
    [
        ["月", "--form", "七律"],
        ["--title", "登楼", "--n", "2", "--candidates", "1", "--script", "traditional"],
        ["--form", "huanxisha", "--title", "日月"],
        ["--form", "水调歌头"],
        ["--acrostic", "春夏秋冬", "--length", "20"],
    ],
)
@pytest.mark.parametrize("where", ["alone", "served"])
def test_a_stream_prints_what_comes_whole(url: str, options: list[str], where: str) -> None:
    options = ["generate", *options, "--seed", "7", *(["--url", url] if where == "served" else [])]
    whole, streamed = (run.invoke(app, [*options, *more]) for more in ([], ["--stream"]))
    assert whole.exit_code == streamed.exit_code == 0, streamed.output
    assert streamed.output == whole.output


def test_a_stream_prints_each_character_once_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = list[str]()
    monkeypatch.setattr("app.live._write", printed.append)
    options = ["--form", "jueju-5", "--seed", "7", "--candidates", "1", "--stream"]
    run.invoke(app, ["generate", "--title", "日", *options])
    marks = [text for text in printed if text]
    assert marks[0] == "日\n"
    assert [len(text) for text in marks[1:]] == [1] * 26  # with the marks and two line ends
    assert [n for n, text in enumerate(marks[1:]) if text == "\n"] == [12, 25]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--json"], "error: stream: --json prints a poem once it stands"),
        (["--vertical"], "error: stream: --vertical prints a poem once it stands"),
        (["--length", "9"], "length: "),
        (["--n", "abc"], "^error: n: must be a whole number\n$"),
        (["--seed", "1.5"], "^error: seed: must be a whole number\n$"),
        (["--seed", "9" * 5000], "^error: seed: must have fewer digits\n$"),
        (["--temperature", "hot"], "^error: temperature: must be a number\n$"),
        (["--author", "無此人"], "author: "),
        (["--acrostic", "春夏秋冬", "--start", "日"], "No such option"),
    ],
)
@pytest.mark.parametrize("where", ["alone", "served"])
def test_a_stream_that_cannot_be_is_refused(
    url: str, options: list[str], message: str, where: str
) -> None:
    options = ["generate", "--stream", *options, *(["--url", url] if where == "served" else [])]
    result = run.invoke(app, options)
    assert result.exit_code == 2
    assert re.search(message, result.output)


def test_a_stream_that_breaks_off_ends_its_row_and_says_why(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    failure = {"status": 504, "detail": "the poem was not finished within 30 s"}
    character = {"poem": 0, "line": 0, "text": "日"}
    body = "".join(
        f"event: {name}\ndata: {json.dumps(data)}\n\n"
        for name, data in (("character", character), ("failure", failure))
    )
    broken = httpx.Response(200, text=body, headers={"Content-Type": "text/event-stream"})
    monkeypatch.setattr("httpx.Client.send", lambda *_, **__: broken)
    result = run.invoke(app, ["generate", "--stream", "--url", url])
    assert result.exit_code == 1
    assert result.output == "日\nerror: the poem was not finished within 30 s\n"


def test_the_version_is_that_of_the_package() -> None:
    result = run.invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"yin {version('yin-poetry')}\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--length", "9"], "length: must be at least 10"),
        (["sun"], "start: .*Chinese characters only"),
        (["--form", "sonnet"], "form: .*the forms are"),
        (["--author", "無此人"], "author: .*does not know the author"),
    ],
)
@pytest.mark.parametrize("where", ["alone", "served"])
def test_invalid_input_is_explained_and_exits_with_two(
    url: str, options: list[str], message: str, where: str
) -> None:
    result = run.invoke(app, ["generate", *options, *(["--url", url] if where == "served" else [])])
    assert result.exit_code == 2
    assert re.search(message, result.output)


def test_a_service_that_is_not_there_exits_with_three() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", f"localhost:{port}"):
        result = run.invoke(app, ["generate", "--url", url])
        assert result.exit_code == 3
        assert f"no service answers at http://{url.removeprefix('http://')}" in result.output


def test_a_name_that_no_machine_has_is_told_what_an_address_looks_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_arguments: object, **_options: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = run.invoke(app, ["generate", "--url", "foo"])
    assert result.exit_code == 3
    assert "no service answers at http://foo: [Errno -2]" in result.output
    assert result.output.endswith("it should look like http://127.0.0.1:8000\n")


@pytest.mark.parametrize("url", ["localhost:port", "ftp://localhost", "http://localhost:port"])
def test_an_address_that_is_none_exits_with_two(url: str) -> None:
    result = run.invoke(app, ["generate", "--url", url])
    assert result.exit_code == 2
    assert "should look like http://127.0.0.1:8000" in result.output


@pytest.mark.parametrize(
    "proxies",
    [
        {"ALL_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": "example.org"},
        {"HTTP_PROXY": "http://127.0.0.1:9"},
        {"NO_PROXY": "[::1]"},
    ],
)
def test_no_proxy_stands_before_this_machine(
    url: str, monkeypatch: pytest.MonkeyPatch, proxies: dict[str, str]
) -> None:
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)
    for address in (url, url.replace("127.0.0.1", "localhost")):
        result = run.invoke(app, ["generate", "--url", address, "--form", "jueju-5"])
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("name", "proxy"),
    [("HTTP_PROXY", "http://127.0.0.1:9"), ("ALL_PROXY", "socks5://127.0.0.1:9"),
     ("ALL_PROXY", "nonsense://127.0.0.1:9")],
)  # fmt: skip
@pytest.mark.parametrize("others", ["example.org", "[::1]", ""])
def test_a_proxy_that_does_not_help_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, proxy: str, others: str
) -> None:
    for each in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
        monkeypatch.delenv(each.lower(), raising=False)
    monkeypatch.setenv(name, proxy)
    monkeypatch.setenv("NO_PROXY", others)
    result = run.invoke(app, ["generate", "--url", "http://192.0.2.1:8000"])
    assert result.exit_code == 3
    assert f"no service answers at http://192.0.2.1:8000 through the proxy {proxy}" in result.output


REGULATED = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_a_poem_is_read_in_the_encodings_that_it_comes_in(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "poem").write_bytes(REGULATED.encode(encoding))
    for arguments, given in (([str(tmp_path / "poem")], b""), ([], REGULATED.encode(encoding))):
        result = run.invoke(app, ["check", *arguments], input=given)
        assert result.exit_code == 0, result.output
        assert "白日依山" in result.output


def test_what_is_no_text_is_refused_in_a_sentence() -> None:
    result = run.invoke(app, ["check"], input=b"\xff\xff\xff")
    assert result.exit_code == 2
    assert "must be text in UTF-8, or in GB 18030" in result.output


def test_a_terminal_without_chinese_gets_a_hint_and_no_trace() -> None:
    process = subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", "check"],
        input=REGULATED.encode(),
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
    )
    assert process.returncode == 0
    assert b"?" in process.stdout
    assert process.stderr.startswith(b"hint: ")
    assert process.stderr.count(b"\n") == 1


def test_another_service_at_the_address_exits_with_three(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = httpx.Response(200, text="<!doctype html>")
    monkeypatch.setattr("httpx.Client.send", lambda *_, **__: page)
    result = run.invoke(app, ["generate", "--url", url])
    assert result.exit_code == 3
    assert "is not a Yin service" in result.output


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    processes = []
    # Where the tests run in a shell's background, interrupts are ignored, and by children too.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"

    def start(*arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", f"{heed}; from app.cli import main; main()", *arguments],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_an_interrupt_ends_it_without_a_trace(
    started: Callable[..., subprocess.Popen[str]],
) -> None:
    process = started("check")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in out + err


def test_a_reader_that_leaves_ends_it_without_a_trace(
    started: Callable[..., subprocess.Popen[str]],
) -> None:
    process = started("generate", "--n", "2", "--form", "jueju-5")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    assert process.wait(timeout=60) == 1


def test_a_full_disk_is_reported(started: Callable[..., subprocess.Popen[str]]) -> None:
    with Path("/dev/full").open("w") as full:
        process = started("generate", "--form", "jueju-5", stdout=full.fileno())
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == "error: [Errno 28] No space left on device\n"


def test_no_colour_where_none_is_wanted() -> None:
    for environment in ({"NO_COLOR": "1", "FORCE_COLOR": ""}, {"TERM": "dumb"}):
        assert "\x1b" not in run.invoke(app, ["--help"], env=environment).output


def test_a_missing_checkpoint_exits_with_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIN_CHECKPOINT", "/nowhere.safetensors")
    result = run.invoke(app, ["generate"])
    assert result.exit_code == 2
    assert "there is no checkpoint at /nowhere.safetensors" in result.output


def test_check_marks_the_tones_and_the_rules() -> None:
    poem = run.invoke(app, ["generate", "--form", "lushi-7", "--seed", "3"]).output
    text = poem.split("—")[0]
    result = run.invoke(app, ["check"], input=text)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()[:8]
    for line, place in zip(lines, range(1, 9), strict=True):
        _, marks, tones = line.split("  ")
        assert marks.replace("△", "○") == tones.replace("平", "○").replace("仄", "●")
        assert place % 2 or marks.endswith("△")
        assert place in (1, 2, 4, 6, 8) or "△" not in marks
    assert "×" not in result.output
    proof = json.loads(run.invoke(app, ["check", "--json"], input=text).output)
    assert proof["regulated"]


@pytest.mark.parametrize("arguments", [["--help"], ["check"]])
def test_what_needs_no_model_does_not_load_pytorch(arguments: list[str]) -> None:
    code = "import sys; from app.cli import app; app(sys.argv[1:], standalone_mode=False)"
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *arguments],
        input="白日依山尽，黄河入海流。欲穷千里目，更上一层楼。",
        capture_output=True,
        text=True,
    )
    assert process.stdout
    assert "typer" in process.stderr
    assert not re.search(r"\| +(torch|fastapi)$", process.stderr, re.MULTILINE)


def test_a_poem_loads_neither_the_compiler_nor_the_service() -> None:
    code = "import sys; from app.cli import app; app(sys.argv[1:], standalone_mode=False)"
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, "generate", "日", "--form", "jueju-5"],
        capture_output=True,
        text=True,
    )
    assert process.stdout.startswith("日")
    assert re.search(r"\| +torch$", process.stderr, re.MULTILINE)
    assert not re.search(r"\| +(torch\._dynamo|fastapi|httpx|uvicorn)", process.stderr)


def test_the_settings_that_help_names_exist() -> None:
    text = run.invoke(app, ["serve", "--help"], env={"COLUMNS": "300"}).output
    named = {name.lower() for name in re.findall(r"YIN_(\w+)", text)}
    assert {"checkpoint", "host", "port"} <= named <= Settings.model_fields.keys()


@pytest.mark.parametrize(
    "command", [[], ["generate"], ["check"], ["revise"], ["rhymes"], ["forms"]]
)
def test_the_examples_of_help_run_as_they_stand(command: list[str]) -> None:
    text = run.invoke(app, [*command, "--help"], env={"COLUMNS": "300"}).output
    examples = re.findall(r"(?:: )(?:echo (\S+) \| )?yin (.*?) *│?\n", text)
    assert len(examples) >= 2
    for poem, options in examples:
        if "--url" in options or ".txt" in options:
            continue
        options, _, piped = options.partition(" | yin ")
        if piped:
            poem = run.invoke(app, shlex.split(options)).output
            options = piped
        result = run.invoke(app, shlex.split(options), input=poem)
        assert result.exit_code in (0, 2), result.output  # the tiny model knows few authors
        assert result.exit_code == 0 or "does not know" in result.output


def test_check_prints_the_places_of_faults() -> None:
    faulty = REGULATED.replace("河", "鹤").replace("楼", "山")
    rows = run.invoke(app, ["check"], input=faulty).output.splitlines()
    assert "× 平仄 2,2" in rows
    assert "× 押韵 2,5 4,5" in rows
    assert "○ 孤平" in rows


@pytest.mark.parametrize(
    "options", [["--title", "登楼"], ["--form", "huanxisha", "--title", "日月"], ["--n", "3"]]
)
@pytest.mark.parametrize("vertical", [[], ["--vertical"]])
def test_check_reads_what_generate_prints(options: list[str], vertical: list[str]) -> None:
    printed = run.invoke(app, ["generate", "--seed", "7", *options, *vertical]).output
    result = run.invoke(app, ["check"], input=printed)
    assert result.exit_code == 0, result.output
    assert "×" not in result.output
    proofs = json.loads(run.invoke(app, ["check", "--json"], input=printed).output)
    assert len(proofs) == 3 if "--n" in options else proofs["regulated"]


def test_check_of_other_verse_exits_with_one(tmp_path: Path) -> None:
    file = tmp_path / "poem"
    file.write_text("日日日日日，月月月月月。山山山山山，水水水水水。", encoding="utf-8")
    result = run.invoke(app, ["check", str(file)])
    assert result.exit_code == 1
    assert "×" in result.output


@pytest.mark.parametrize(
    ("poem", "named", "marks"),
    [
        ("白日依山尽，黄河入海流。欲穷千里目，更上一层楼。",
         "律绝，仄起首句不入韵，韵 十一尤", "●△●△"),
        ("渭城朝雨浥轻尘，客舍青青柳色新。劝君更尽一杯酒，西出阳关无故人。",
         "折腰体，平起首句入韵，韵 十一真", "△△●△"),
        ("千山鸟飞绝，万径人踪灭。孤舟蓑笠翁，独钓寒江雪。", "仄韵，韵 九屑", "▲▲○▲"),
        ("床前明月光，疑是地上霜。举头望明月，低头思故乡。", "古绝，韵 七陽", "△△●△"),
        ("白日依山尽，黄河入海□。欲穷千里目，更上一层楼。",
         "律绝，仄起首句不入韵，韵 十一尤", "●？●△"),
    ],
)  # fmt: skip
def test_check_names_the_poem_and_marks_the_lines_that_rhyme(
    poem: str, named: str, marks: str
) -> None:
    shown = run.invoke(app, ["check"], input=f"题目\n{poem}").output.splitlines()
    assert shown[4] == named
    assert [line.split("  ")[0] for line in shown[:4]] == re.findall(r"[\w□]+", poem)
    assert "".join(line.split("  ")[1][-1] for line in shown[:4]) == marks


def test_check_of_what_is_no_file_exits_with_two(tmp_path: Path) -> None:
    for path, kind in ((tmp_path, "a directory"), (tmp_path / "poem.txt", "none")):
        result = run.invoke(app, ["check", str(path)])
        assert result.exit_code == 2
        assert f"error: file: must be a file, and {path} is {kind}\n" in result.output


def test_check_of_no_verse_at_all_exits_with_two() -> None:
    assert run.invoke(app, ["check"], input="hello").exit_code == 2
    assert run.invoke(app, ["check", "/nowhere"]).exit_code == 2


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def serve(port: int, *options: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from app.cli import main; main()", "serve", *options],
        env={**os.environ, "YIN_PORT": str(port), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_ready(process: subprocess.Popen[str], url: str) -> None:
    while True:
        assert process.poll() is None
        try:
            httpx.get(f"{url}/health/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return


def test_sigterm_lets_streams_end_and_exits_with_zero() -> None:
    port = free_port()
    process = serve(port)
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(process, url)
    fields = {"length": 200, "n": 16}
    with httpx.stream("POST", f"{url}/generate/stream", json=fields, timeout=60) as response:
        lines = response.iter_lines()
        next(lines)
        process.send_signal(signal.SIGTERM)
        rest = list(lines)
    assert "event: poem" in rest
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    records = [json.loads(line) for line in log.splitlines()]
    assert records[0]["event"] == "starting"
    assert all("text" not in record for record in records)


def test_a_server_without_its_checkpoint_says_so() -> None:
    process = serve(free_port(), YIN_CHECKPOINT="/nowhere.safetensors")
    _, log = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "error: there is no checkpoint at /nowhere.safetensors" in log


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("YIN_RATE_LIMIT", "10/min", "YIN_RATE_LIMIT: must be such as 60/minute"),
        ("YIN_API_KEYS", "", "YIN_API_KEYS: is empty; name a file"),
        ("YIN_DEVICE", "cuda:99", "YIN_DEVICE: there is no cuda:99 here"),
        (
            "YIN_PORT",
            "tcp://10.0.0.1:80",
            "YIN_PORT: is tcp://10.0.0.1:80, which a container platform",
        ),
        ("YIN_HOST", "", "YIN_HOST: must be an address"),
        ("YIN_THREADS", "-1", "YIN_THREADS: "),
    ],
)
def test_a_bad_setting_is_one_sentence_and_exits_with_two(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    result = run.invoke(app, ["serve"])
    assert result.exit_code == 2
    assert result.output.startswith(f"error: {message}")
    assert result.output.count("\n") == 1


def test_a_bad_option_is_named_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run.invoke(app, ["serve", "--port", "99999"])
    assert result.exit_code == 2
    assert result.output.startswith("error: --port: ")
    monkeypatch.setenv("YIN_NUM_SLOTS", "many")
    for command in ("generate", "serve"):
        result = run.invoke(app, [command])
        assert result.exit_code == 2
        assert result.output.startswith("error: YIN_NUM_SLOTS: ")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda content: content[:-1], "is not a safetensors file"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "is damaged"),
        (pickle.dumps, "is not a safetensors file"),
    ],
    ids=["truncated", "flipped", "pickle"],
)
def test_a_damaged_checkpoint_is_reported_and_a_good_one_in_its_place_serves(
    checkpoint_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[bytes], bytes],
    message: str,
) -> None:
    path = tmp_path / "poetry.safetensors"
    monkeypatch.setenv("YIN_CHECKPOINT", str(path))
    path.write_bytes(harm(checkpoint_path.read_bytes()))
    for command in ("serve", "generate"):
        result = run.invoke(app, [command])
        assert result.exit_code == 2
        assert f"error: {path} {message}" in result.output
    path.write_bytes(checkpoint_path.read_bytes())
    assert run.invoke(app, ["generate"]).exit_code == 0


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_too_little_memory_is_reported(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def load(_path: Path) -> NoReturn:
        raise error

    monkeypatch.setattr("app.service.Checkpoint.load", load)
    result = run.invoke(app, ["serve"])
    assert result.exit_code == 1
    assert "error: there is not enough memory to load the model: " in result.output


def test_other_errors_of_torch_are_not_taken_for_too_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(_path: Path) -> NoReturn:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr("app.service.Checkpoint.load", load)
    with pytest.raises(RuntimeError, match="shapes"):
        run.invoke(app, ["serve"], catch_exceptions=False)


def test_a_port_that_is_taken_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = serve(free_port(), "--port", str(taken.getsockname()[1]))
        _, log = process.communicate(timeout=60)
        port = taken.getsockname()[1]
    assert process.returncode == 1
    assert f"error: port: {port} at 127.0.0.1: Address already in use" in log


FAILING = """
import threading
from model.engine import Engine

step = Engine.step

def fail(self):
    if threading.current_thread().name == "engine":
        raise MemoryError
    return step(self)

Engine.step = fail
from app.cli import main
main()
"""


def test_a_server_whose_engine_fails_answers_and_exits_with_one() -> None:
    port = free_port()
    command = [sys.executable, "-c", FAILING, "serve"]
    environment = {**os.environ, "YIN_PORT": str(port)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wait_until_ready(process, f"http://127.0.0.1:{port}")
    assert httpx.post(f"http://127.0.0.1:{port}/generate", json={}).status_code == 500
    _, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert '"error": "MemoryError"' in log


def test_sigterm_again_and_again_is_an_exit_with_zero() -> None:
    port = free_port()
    process = serve(port)
    wait_until_ready(process, f"http://127.0.0.1:{port}")
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.001)
    process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "3000"}),
        ({"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
    ],
)
def test_threads_that_wait_sleep_soon_unless_set_otherwise(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    given: dict[str, str],
    expected: dict[str, str],
) -> None:
    others = {n: v for n, v in os.environ.items() if n not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    environment = others | given | {"YIN_CHECKPOINT": str(tmp_path / "none")}
    monkeypatch.setattr(os, "environ", environment)
    assert run.invoke(app, ["serve"]).exit_code == 2
    assert environment.items() >= expected.items()
    assert len(environment) == len(others | {"YIN_CHECKPOINT": ""} | expected)


def test_the_command_line_alone_does_not_load_pytorch() -> None:
    code = "import sys, app.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_garbage_is_looked_for_in_what_start_up_made(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = []

    async def note(_server: Server, _sockets: object) -> None:
        frozen.append(gc.get_freeze_count())

    monkeypatch.setattr(Server, "serve", note)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("app.log.configure_log", lambda _: None)
    try:
        run.invoke(app, ["serve"], catch_exceptions=False)
    finally:
        gc.unfreeze()
    (count,) = frozen
    assert count > 100_000
