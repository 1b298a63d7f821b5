import time

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import TooManyRequests
from app.rate import UNIT, RateLimit, charge
from tests.test_middleware import ask, echo


def test_a_client_may_ask_so_often() -> None:
    app = RateLimit(echo, "2/minute")
    statuses = [ask(app).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = ask(app)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "2 per 1 minute" in refused.json()["detail"]
    for path in ("/", "/style.css", "/health/live"):  # or the page would be cut off
        assert ask(app, path, "GET").status_code == 200


def test_a_clock_that_is_set_back_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    app = RateLimit(echo, "2/minute")
    now = time.time()
    assert [ask(app).status_code for _ in range(3)] == [200, 200, 429]
    monkeypatch.setattr("time.time", lambda: now - 3600)
    assert [ask(app).status_code for _ in range(4)] == [200, 200, 200, 429]
    monkeypatch.setattr("time.time", lambda: now + 3600)
    assert [ask(app).status_code for _ in range(3)] == [200, 200, 429]


def costing(cost: int) -> ASGIApp:
    """An application whose every request costs so much."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            charge(scope, cost)
        except TooManyRequests as error:
            await PlainTextResponse(error.message, error.status)(scope, receive, send)
        else:
            await echo(scope, receive, send)

    return app


def test_what_costs_more_counts_as_more() -> None:
    app = RateLimit(costing(3 * UNIT), "5/minute")
    assert ask(app).status_code == 200
    refused = ask(app)  # 3 + 3 of 5
    assert refused.status_code == 429
    assert refused.text.startswith("this counts as 3 requests: at most 5 per 1 minute; try again")
    assert ask(app).status_code == 429


@pytest.mark.parametrize("cost", [1, UNIT])
def test_a_quatrain_or_less_counts_as_one(cost: int) -> None:
    app = RateLimit(costing(cost), "3/minute")
    assert [ask(app).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_without_a_limit_anything_may_cost_anything() -> None:
    assert ask(costing(10**6)).status_code == 200
