"""The attacks of benchmarks.reliability, in short, against a model with random weights.

That of a training, kills, is in tests/test_train.py.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import protocol
from app.schemas import GenerateRequest
from app.service import Service
from app.settings import Settings
from benchmarks.reliability import (
    checkpoints,
    connections,
    equality,
    fuzz,
    lag,
    leavers,
    overload,
    pause,
    processor,
    series,
    signals,
)
from benchmarks.reliability.__main__ import app, processors
from benchmarks.reliability.report import Report
from benchmarks.reliability.served import Served, served
from tests.conftest import running

TINY = {"YIN_THREADS": "1", "YIN_DTYPE": "float32", "YIN_CANDIDATES": "2", "YIN_NUM_SLOTS": "32"}


@pytest.fixture(scope="module")
def tiny(checkpoint_path: Path) -> dict[str, str]:
    return TINY | {
        "YIN_CHECKPOINT": str(checkpoint_path),
    }


@pytest.fixture(scope="module")
def service(tiny: dict[str, str]) -> Iterator[Served]:
    with served(tiny) as service:
        yield service


def test_equal_answers(service: Served) -> None:
    report = asyncio.run(equality.compare(service.port, distinct=10, together=60))
    assert report.faults == []
    assert report.figures["requests"] == 60


def test_another_answer_is_a_fault(service: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(range(1000))
    monkeypatch.setattr(equality, "poems_of", lambda *_: [next(answers)])
    report = asyncio.run(equality.compare(service.port, distinct=2, together=4))
    assert report.figures["differ"] == 4
    assert len(report.faults) == 1


def test_a_stream_whose_characters_are_not_its_poem_s_is_a_fault() -> None:
    stream = (
        'event: character\ndata: {"poem":0,"line":0,"text":"日"}\n\n'
        ': ping\n\nevent: poem\ndata: {"poems":[{"text":"%s"}]}\n\n'
    )
    good, bad = (equality.poems_of(200, equality.STREAM, (stream % c).encode()) for c in "日月")
    assert good == [{"text": "日"}]
    assert bad[0] == "the stream is another poem"


def test_leavers(service: Served) -> None:
    report = asyncio.run(leavers.leave(service, clients=16, seconds=1.5))
    assert report.faults == []


@pytest.mark.parametrize("kind", ["quatrains", "sampling"])
def test_five_times_the_load(service: Served, kind: str) -> None:
    # In a second the figures are noise: what is delivered is held by tests/test_goodput.py.
    report = overload.overload(service.port, kind, full=2, seconds=1)
    assert set(report.figures["five"]) <= {"200", "503", "characters"}


def test_every_kind_of_load_is_a_request() -> None:
    for kinds in overload.KINDS.values():
        for fields in kinds:
            GenerateRequest.model_validate(fields)


def test_what_is_delivered_is_counted(service: Served) -> None:
    quatrains = overload.KINDS["quatrains"]
    got = asyncio.run(overload.deliver(service.port, quatrains, clients=2, seconds=0.5))
    assert got["200"] > 0
    assert got["characters"] == 28 * got["200"]


@pytest.mark.parametrize(("full", "five", "faults"), [(100, 90, 0), (100, 89, 1), (0, 0, 2)])
def test_nine_tenths_are_enough(
    monkeypatch: pytest.MonkeyPatch, full: int, five: int, faults: int
) -> None:
    async def deliver(_port: int, _kinds: object, clients: int, *_: float) -> dict[str, int]:
        return {"characters": five if clients == 50 else full}

    monkeypatch.setattr(overload, "deliver", deliver)
    assert len(overload.overload(0, "mixed", full=10, seconds=1).faults) == faults


def test_how_a_stream_ended() -> None:
    stream = b"event: character\ndata: {}\n\nevent: failure\ndata: {}\n\n"
    assert signals.last_event((200, stream)) == "failure"
    assert signals.last_event((503, b"{}")) == "503"
    assert signals.last_event(ConnectionResetError()) == "ConnectionResetError"


def test_generated_requests(service: Served) -> None:
    report = fuzz.fuzz(service.url, examples=3, phases="examples,fuzzing")
    assert report.faults == []


@pytest.fixture
def patience_s(monkeypatch: pytest.MonkeyPatch) -> float:
    for name in ("HEAD_S", "BODY_S", "STALL_S"):
        monkeypatch.setattr(protocol, name, 1.0)
    monkeypatch.setattr(connections, "SLACK_S", 2.0)
    return 1.0


def test_held_connections(service_settings: Settings, patience_s: float) -> None:
    settings = service_settings.model_copy(update={"keep_alive_s": 1})
    with running(Service.load(settings)) as (_, client):
        assert client.base_url.port is not None
        deadlines_s = dict.fromkeys(connections.STATES, patience_s)
        report = asyncio.run(connections.hold(client.base_url.port, deadlines_s, clients=5))
    assert report.faults == []
    assert report.figures.keys() >= connections.STATES.keys()


def test_a_connection_that_is_held_too_long_is_a_fault(
    service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SLACK_S", 0.1)
    report = asyncio.run(connections.hold(service.port, {"silent": 0.1}, clients=1))
    assert any("silent: held for" in fault for fault in report.faults)


def test_forged_checkpoints(checkpoint_path: Path, tmp_path: Path) -> None:
    report = checkpoints.attack(checkpoint_path, tmp_path)
    assert report.faults == []
    assert report.figures["longest_s"] < 5


def test_a_checkpoint_that_is_taken_is_a_fault(checkpoint_path: Path) -> None:
    assert checkpoints.load(checkpoint_path) == "loaded"


def test_metrics(service: Served) -> None:
    report = series.count(service.port, 100)
    assert report.faults == []


def test_one_processor_then_a_pause_then_sigterm(tiny: dict[str, str]) -> None:
    settings = {name: value for name, value in tiny.items() if name != "YIN_THREADS"}
    with served(settings | {"YIN_DEADLINE_S": "2"}, {min(processors())}) as service:
        report = asyncio.run(processor.press(service, clients=4, seconds=1))
        assert [fault for fault in report.faults if "health took" not in fault] == []
        assert asyncio.run(pause.pause(service, seconds=3, poems=4)).faults == []
        report = asyncio.run(signals.stop(service, streams=2, times=1))
        assert [fault for fault in report.faults if "ended with" not in fault] == []


def test_sigterm_twice(tiny: dict[str, str]) -> None:
    with served(tiny) as service:
        report = asyncio.run(signals.stop(service, streams=4, times=2))
    assert [fault for fault in report.faults if "cut short" not in fault] == []


def test_the_largest_requests_are_requests() -> None:
    chance = random.Random(1)
    for _ in range(50):
        GenerateRequest.model_validate(lag.largest_request(chance))


def test_the_event_loop(service_settings: Settings) -> None:
    # As many slots as the largest request takes.
    own = Service.load(service_settings.model_copy(update={"num_slots": 128}))
    report = lag.measure(own, requests=60, together=2)
    assert report.figures["late_ms"][0.5] < 50
    assert report.figures["longest_ms"] > 0


def test_every_attack_is_a_command() -> None:
    commands = {command.name for command in app.registered_commands}
    attacks = {path.stem for path in Path(lag.__file__).parent.glob("[a-z]*.py")}
    assert commands == attacks - {"report", "served"}
    text = (Path(__file__).parents[1] / "docs/reliability.md").read_text()
    assert all(f"`{name}" in text for name in commands)


def test_a_report_collects_what_does_not_hold() -> None:
    report = Report({})
    report.require(True, "this holds")
    report.require(False, "this does not")
    assert report.faults == ["this does not"]
