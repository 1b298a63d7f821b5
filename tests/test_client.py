import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from app.answers import GenerateResponse
from app.client import Client, Refused
from app.service import Service
from app.settings import Settings
from tests.conftest import serving


@pytest.fixture(scope="module")
def url(service_settings: Settings) -> Iterator[str]:
    with serving(Service.load(service_settings)) as client:
        yield str(client.base_url)


def event_stream(body: str) -> httpx.Response:
    return httpx.Response(200, text=body, headers={"Content-Type": "text/event-stream"})


def answering(*responses: httpx.Response) -> httpx.MockTransport:
    """A transport that gives these responses, one a request."""
    left = list(responses)
    return httpx.MockTransport(lambda _: left.pop(0))


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were slept, without sleeping."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def test_a_poem_comes_typed(url: str) -> None:
    with Client(url) as client:
        answer = client.generate(start="月", form="jueju-5", seed=3)
    assert answer.poems[0].text.startswith("月")
    assert answer.model.name == "tiny"


def test_a_stream_ends_with_the_answer(url: str) -> None:
    with Client(url) as client:
        *characters, answer = client.stream(start="月", form="jueju-5", seed=3)
        whole = client.generate(start="月", form="jueju-5", seed=3)
    assert isinstance(answer, GenerateResponse)
    assert answer.poems == whole.poems
    assert "".join(c["text"] for c in characters if isinstance(c, dict)) == (
        whole.poems[0].text.replace("\n", "")
    )


def test_a_refusal_names_the_field(url: str) -> None:
    with Client(url) as client, pytest.raises(Refused, match=r"^length: ") as refusal:
        client.generate(length=9)
    assert refusal.value.status == 422


def test_a_busy_service_is_asked_again_when_it_says(naps: list[float]) -> None:
    poem = {"poems": [], "model": dict.fromkeys(("name", "checksum", "device", "dtype"), "x")}
    transport = answering(
        httpx.Response(503, headers={"Retry-After": "2"}, json={"detail": "busy"}),
        httpx.Response(429, headers={"Retry-After": "1"}, json={"detail": "slow down"}),
        httpx.Response(200, json={**poem, "elapsed_s": 0.1}),
    )
    with Client(transport=transport) as client:
        assert client.generate().elapsed_s == 0.1
    assert naps == [2, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: httpx.Response(503, headers={"Retry-After": "1"}, json={"detail": "busy"}),
            "busy",
        ),
        (lambda: httpx.Response(503, text="<html>"), "answered with status 503"),
        (lambda: httpx.Response(500, json={"detail": "the engine stopped"}), "the engine stopped"),
    ],
)
def test_a_service_that_stays_unable_is_given_up(
    naps: list[float], make: Callable[[], httpx.Response], message: str
) -> None:
    transport = answering(*(make() for _ in range(4)))
    with Client(transport=transport) as client, pytest.raises(Refused, match=message):
        client.generate()
    assert len(naps) in (0, 3)


def test_an_answer_of_another_service_is_refused() -> None:
    transport = answering(httpx.Response(200, text="<!doctype html>"))
    with (
        Client(transport=transport) as client,
        pytest.raises(Refused, match="is not a Yin service"),
    ):
        client.generate()


def test_a_failure_on_the_way_is_raised() -> None:
    failure = json.dumps({"status": 504, "detail": "too late"})
    body = f"event: failure\ndata: {failure}\n\n"
    with (
        Client(transport=answering(event_stream(body))) as client,
        pytest.raises(Refused, match="too late") as refusal,
    ):
        list(client.stream())
    assert refusal.value.status == 504


@pytest.mark.parametrize("space", ["", " "])
def test_the_space_in_an_event_may_be_left_out(space: str) -> None:
    body = f'event:{space}character\ndata:{space}{{"poem": 0,\ndata:{space}"text": "日"}}\n\n'
    with Client(transport=answering(event_stream(body))) as client:
        assert list(client.stream()) == [{"poem": 0, "text": "日"}]


@pytest.mark.parametrize(
    "response",
    [httpx.Response(200, text="<!doctype html>"), event_stream("data: hello\n\n")],
)
def test_a_stream_of_another_service_is_refused(response: httpx.Response) -> None:
    with (
        Client(transport=answering(response)) as client,
        pytest.raises(Refused, match="is not a Yin service"),
    ):
        list(client.stream())


def test_a_key_is_shown() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(401, json={"detail": "no"})

    transport = httpx.MockTransport(answer)
    with Client(key="secret", transport=transport) as client, pytest.raises(Refused):
        client.generate()
    assert seen == ["Bearer secret"]


@pytest.mark.parametrize("others", ["", "[::1]", "example.org,[::1]:80"])
def test_another_machine_is_asked_through_the_proxy_of_the_environment(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, others: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", str(client.base_url))
    monkeypatch.setenv("NO_PROXY", others)
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Client("http://192.0.2.1:8000", timeout_s=5) as far:
        assert far.generate(
            form="jueju-5"
        ).poems  # the service takes a proxy's form of address, too
