import asyncio
import socket
import time
from typing import Any

import pytest
import structlog

from app.accept_errors import EVERY_S, AcceptErrors
from app.service import Service
from app.settings import Settings
from tests.conftest import running
from tests.test_admission import Clock

REPORT = {"message": "socket.accept() out of system resource", "exception": OSError(24, "too many")}


def test_a_minute_of_accept_errors_is_a_line() -> None:
    clock = Clock()
    handle = AcceptErrors(clock)
    loop = asyncio.new_event_loop()
    with structlog.testing.capture_logs() as log:
        for _ in range(3000):
            handle(loop, REPORT)
            clock.now += EVERY_S / 1000
    loop.close()
    assert [entry["attempts"] for entry in log] == [1, 1000, 1000]
    assert all(entry["event"] == "not_accepted" for entry in log)
    assert "too many" in log[0]["error"]


def test_other_errors_are_the_loop_s_to_report(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = list[dict[str, Any]]()
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(loop, "default_exception_handler", reported.append)
    AcceptErrors()(loop, {"message": "a task was destroyed"})
    loop.close()
    assert reported == [{"message": "a task was destroyed"}]


def test_a_server_out_of_descriptors_says_so_once_and_goes_on(
    service_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, short = socket.socket.accept, [True]

    def out_of_descriptors(self: socket.socket) -> Any:
        if short[0]:
            raise OSError(24, "Too many open files")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", out_of_descriptors)
    with (
        structlog.testing.capture_logs() as log,
        running(Service.load(service_settings)) as (_, client),
    ):
        url = client.base_url
        with socket.create_connection((url.host, url.port or 80), timeout=10):
            time.sleep(0.2)
        short[0] = False
        assert client.get("/health/live").status_code == 200  # asyncio tries again in a second
    assert [entry["event"] for entry in log].count("not_accepted") == 1
