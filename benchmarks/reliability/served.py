"""A served checkpoint: `yin serve` as a process of its own, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

START_S = 120.0


@dataclass(frozen=True)
class Served:
    """A service that runs.

    Args:
        process: Its process.
        port: Where it listens.
        log: The file that its log goes to.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def memory_mib(self) -> float:
        """The memory that it takes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)

    @property
    def descriptors(self) -> int:
        """How many files it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def end(self) -> int:
        """Ask it to stop, unless it has; return its exit code."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=90)
        finally:
            self.process.kill()


@contextmanager
def served(settings: dict[str, str], processors: set[int] | None = None) -> Iterator[Served]:
    """Serve with settings, and yield the service when it is ready.

    Args:
        settings: Environment variables.
        processors: Those that it may use; None for all.

    Raises:
        RuntimeError: If it does not become ready.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "YIN_PORT": str(port), "YIN_LOG_LEVEL": "info", **settings}
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    if processors is not None:
        only = f"import os; os.sched_setaffinity(0, {processors}); "
        command[2] = only + command[2]
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stderr=output)
        service = Served(process, port, log)
        try:
            wait_until_ready(service)
            yield service
        finally:
            service.end()


def wait_until_ready(service: Served) -> None:
    """Wait until a service takes requests.

    Raises:
        RuntimeError: If it ends before, or takes too long.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and service.process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{service.url}/health/ready").is_success:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the service did not start: {service.log.read_text()[-1000:]}")
