"""The server: uvicorn's, but it lets poems end before it does, and ends when it can write none.

uvicorn's own shutdown closes the port at once, and waits for connections before the application
learns of it. Here the application learns first: while poems in flight end, /health/ready and new
requests are still answered, with 503, so that a load balancer turns to another replica. A server
whose engine has stopped ends after the last answer, so that whoever started it starts it again.
"""

import asyncio
import errno
import signal
import socket
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from app.accept_errors import AcceptErrors
from app.protocol import Protocol
from app.service import Service
from app.settings import InvalidSetting, Settings

LAST_ANSWERS_S = 5  # for answers that are written but not yet read by their clients
MARGIN_S = 1  # of them, in which requests end whose clients have not read by then


def configuration(application: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn is to serve an application: silently, and without its own name."""
    return uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=settings.keep_alive_s,
        lifespan="on",  # what fails at start must not be taken for an application without one
        log_config=None,
        access_log=False,
        server_header=False,
    )


def check_address(settings: Settings) -> None:
    """Find out, before anything is loaded, whether the address can be listened on.

    Raises:
        InvalidSetting: If the host names no address, or none of this machine.
        OSError: If the port is taken, or not for everyone to take.
    """
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise InvalidSetting("host", f"{host!r} names no address: {error.strerror}") from error
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise InvalidSetting("host", f"{host} is no address of this machine") from error
            raise OSError(f"port: {port} at {host}: {error.strerror}") from error


def listening(settings: Settings) -> list[socket.socket] | None:
    """Return a socket for IPv6 and IPv4 where every address is asked for; None for uvicorn's own.

    Raises:
        OSError: If the port is taken.
    """
    if settings.host != "::" or not socket.has_dualstack_ipv6():
        return None
    address = (settings.host, settings.port)
    return [socket.create_server(address, family=socket.AF_INET6, dualstack_ipv6=True)]


def url_of(settings: Settings) -> str:
    """Return the address that is listened on."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


class Server(uvicorn.Server):
    """Serves until SIGTERM or SIGINT, or until the engine fails.

    A second SIGTERM refuses what is still being written; a second SIGINT does not even wait for
    that.

    Args:
        config: uvicorn's configuration, of an application that serves service.
        service: Is drained before the port closes.
        drain_s: Time that poems in flight get.
    """

    def __init__(self, config: uvicorn.Config, service: Service, drain_s: float) -> None:
        config.timeout_graceful_shutdown = LAST_ANSWERS_S
        config.http = Protocol.limited(service.settings.max_connections)
        super().__init__(config)
        self._service, self._drain_s = service, drain_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._asked = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(AcceptErrors())
        self._watch = asyncio.ensure_future(self._exit_on_failure())
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port, and let clients read their last answers."""
        limit_s = 0 if self.force_exit else LAST_ANSWERS_S - MARGIN_S
        asyncio.get_running_loop().call_later(limit_s, self._abort)
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn leaves this out, and what it leaves is cancelled with a trace
            self._service.engine.refuse_all()
            await self.lifespan.shutdown()

    def _abort(self) -> None:
        """Close what is still open: requests that are cancelled instead log a trace each."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol):
                connection.reset()

    async def _exit_on_failure(self) -> None:
        await self._service.engine.failed.wait()
        self.should_exit = True  # uvicorn waits for the last answers

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Begin to shut down; this is the signal handler."""
        self._asked += 1
        if self._loop is None:
            self.should_exit = True
        elif self._asked == 1:
            self._loop.call_soon_threadsafe(self._begin_drain)
        elif sig == signal.SIGINT:
            self.should_exit = self.force_exit = True
        else:
            self._loop.call_soon_threadsafe(self._service.engine.refuse_all)

    def _begin_drain(self) -> None:
        self._drain = asyncio.ensure_future(self._drain_and_exit())

    async def _drain_and_exit(self) -> None:
        try:
            await self._service.engine.drain(self._drain_s)
        finally:
            self.should_exit = True
