"""Streams and clients that leave, against a real server."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.service import Service
from app.settings import Settings
from app.stream import PING, encode
from tests.conftest import serving


@pytest.fixture(scope="module")
def service(service_settings: Settings) -> Service:
    return Service.load(service_settings)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with serving(service) as client:
        yield client


def events(client: httpx.Client, **fields: Any) -> list[tuple[str, Any]]:
    """The events of a stream, by name and data."""
    with client.stream("POST", "/generate/stream", json=fields) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        lines = [line for line in response.iter_lines() if line and not line.startswith(":")]
    names = [line.removeprefix("event: ") for line in lines[::2]]
    return list(
        zip(names, (json.loads(line.removeprefix("data: ")) for line in lines[1::2]), strict=True)
    )


def wait_until_idle(service: Service, limit_s: float = 10) -> None:
    deadline = time.monotonic() + limit_s
    while service.engine.jobs or service.poet.engine.running or service.poet.engine.waiting:
        assert time.monotonic() < deadline, "slots are still in use"
        time.sleep(0.01)


def test_a_streamed_poem_is_the_one_that_comes_whole(client: httpx.Client) -> None:
    *characters, (name, answer) = events(client, start="月", seed=4)
    whole = client.post("/generate", json={"start": "月", "seed": 4}).json()
    assert name == "poem"
    assert answer["poems"] == whole["poems"]
    assert {event for event, _ in characters} == {"character"}
    text = "".join(data["text"] for _, data in characters)
    assert text == whole["poems"][0]["text"].replace("\n", "")
    assert [data["line"] for _, data in characters] == [i for i in range(4) for _ in range(8)]


def test_characters_of_one_stream_carry_their_poem(client: httpx.Client) -> None:
    *characters, (_, answer) = events(client, form="jueju-5", n=3, seed=4)
    for number, poem in enumerate(answer["poems"]):
        own = [data["text"] for _, data in characters if data["poem"] == number]
        assert "".join(own) == poem["text"].replace("\n", "")


@pytest.mark.parametrize("candidates", [2, 5])
def test_with_candidates_what_is_streamed_is_the_poem(
    client: httpx.Client, candidates: int
) -> None:
    wishes = {"form": "jueju-5", "title": "登楼", "candidates": candidates, "n": 2}
    for seed in range(4):
        *characters, (name, answer) = events(client, **wishes, seed=seed)
        assert name == "poem", answer
        for number, poem in enumerate(answer["poems"]):
            own = [data["text"] for _, data in characters if data["poem"] == number]
            assert "".join(own) == poem["text"].replace("\n", "")


def test_what_is_printed_by_its_neighbour_is_streamed_as_it_ends() -> None:
    """乾坤 is a phrase: 乾 alone would be 干."""
    with serving(
        Service.load(Settings(num_slots=4, threads=1, drain_s=1, candidates=1))
    ) as bundled:
        *characters, (_, answer) = events(bundled, start="乾坤", form="jueju-5", seed=1)
    text = answer["poems"][0]["text"]
    assert text.startswith("乾坤")
    assert "".join(data["text"] for _, data in characters) == text.replace("\n", "")


def test_a_refusal_comes_before_the_stream_with_its_status(client: httpx.Client) -> None:
    response = client.post("/generate/stream", json={"start": "sun"})
    assert response.status_code == 422
    response = client.post("/generate/stream", json={"author": "無此人"})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "author"]


def test_a_stream_that_is_left_frees_its_slot(client: httpx.Client, service: Service) -> None:
    fields = {"length": 200, "n": 16}
    with client.stream("POST", "/generate/stream", json=fields) as response:
        next(response.iter_lines())
    wait_until_idle(service)


def test_a_plain_request_that_is_left_frees_its_slot(
    client: httpx.Client, service: Service
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post("/generate", json={"length": 200, "n": 16, "candidates": 4}, timeout=0.05)
    wait_until_idle(service)
    assert client.post("/generate", json={}).status_code == 200


def test_a_client_that_leaves_while_poems_are_prepared_is_noticed(
    client: httpx.Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = []

    def slowly(*_: Any) -> Any:
        """Prepare, a thousand times, what is never ready."""
        for number in range(1000):
            prepared.append(number)
            time.sleep(0.005)
            yield None

    with monkeypatch.context() as patched:
        patched.setattr(service, "prepare", slowly)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/generate", json={}, timeout=0.05)
        wait_until_idle(service)
    assert 0 < len(prepared) < 1000
    assert client.post("/generate", json={}).status_code == 200


def test_a_crowd_gets_the_poems_that_each_would_get_alone(client: httpx.Client) -> None:
    asked = [
        {"seed": seed, "form": form, "temperature": temperature}
        for seed, form, temperature in zip(
            range(40),
            ("jueju-5", "七律", "gushi-7", "五律") * 10,
            (0.7, 1.0, 1.3, 0.2, 0.9) * 8,
            strict=True,
        )
    ]
    alone = [client.post("/generate", json=fields).json()["poems"] for fields in asked]
    together: list[Any] = [None] * len(asked)

    def ask(number: int) -> None:
        response = client.post("/generate", json=asked[number])
        together[number] = response.json()["poems"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_what_goes_wrong_on_the_way_is_an_event(
    client: httpx.Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> Any:
        raise ValueError("白日依山盡")

    monkeypatch.setattr(service, "answer", crash)
    *characters, (name, failure) = events(client, form="jueju-5")
    assert len(characters) == 24
    assert name == "failure"
    assert failure == {"status": 500, "detail": "the poem could not be completed"}


def test_an_event_is_a_name_and_a_line_of_json() -> None:
    assert encode("character", {"text": "日\n"}) == (
        'event: character\ndata: {"text":"日\\n"}\n\n'.encode()
    )
    assert PING.startswith(b":")
    assert PING.endswith(b"\n\n")
