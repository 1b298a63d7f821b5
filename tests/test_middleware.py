import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.middleware import ApiKeys, BodyLimit, RateLimit


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the size of the body."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def ask(app: ASGIApp, path: str = "/generate", **options: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request("POST", path, **options)

    return asyncio.run(send())


@pytest.mark.parametrize(("size", "status"), [(0, 200), (10, 200), (11, 413)])
def test_a_body_may_be_so_large(size: int, status: int) -> None:
    response = ask(BodyLimit(echo, max_bytes=10), content=b"x" * size)
    assert response.status_code == status
    if status == 200:
        assert response.text == str(size)


@pytest.fixture
def keyed(tmp_path: Path) -> ApiKeys:
    path = tmp_path / "keys"
    path.write_text("first-key\n\n  second-key \n")
    return ApiKeys(echo, path)


@pytest.mark.parametrize("key", ["first-key", "second-key"])
def test_a_known_key_passes(keyed: ApiKeys, key: str) -> None:
    assert ask(keyed, headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": "x"},
     {"Authorization": "Basic first-key"}, {"Authorization": "Bearer first-key2"}],
)  # fmt: skip
def test_without_a_known_key_nothing_passes(keyed: ApiKeys, headers: dict[str, str]) -> None:
    response = ask(keyed, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


def test_health_and_metrics_need_no_key(keyed: ApiKeys) -> None:
    assert ask(keyed, "/health/live").status_code == 200
    assert ask(keyed, "/metrics").status_code == 200


def test_a_key_file_without_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("\n")
    with pytest.raises(ValueError, match="holds no key"):
        ApiKeys(echo, tmp_path / "keys")


def test_a_client_may_ask_so_often() -> None:
    app = RateLimit(echo, "2/minute")
    statuses = [ask(app).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = ask(app)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "2 per 1 minute" in refused.json()["detail"]
    assert ask(app, "/health/live").status_code == 200
