import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.log import configure_log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**before)


def test_own_entries_are_json_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("info")
    structlog.get_logger().info("starting", name="吟")
    structlog.get_logger().debug("unseen")
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert "吟" in line
    assert (entry["event"], entry["level"], entry["name"]) == ("starting", "info", "吟")


def test_entries_of_libraries_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("info")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").info("unseen")
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["level"]) == ("Invalid HTTP request received.", "warning")


def test_errors_alone_if_so_asked(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("error")
    logging.getLogger("uvicorn.error").warning("unseen")
    structlog.get_logger().warning("unseen")
    structlog.get_logger().error("seen")
    assert json.loads(capsys.readouterr().err)["event"] == "seen"
