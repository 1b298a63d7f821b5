"""A client of the service, for Python, with retries that honour Retry-After.

with Client("http://127.0.0.1:8000") as client:
    print(client.generate(start="日", length=28).poems[0].text)
"""

import json
import time
from collections.abc import Iterator
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import BaseModel, ValidationError

from app.answers import GenerateResponse
from app.errors import describe_detail
from app.revision import ReviseResponse
from app.rhyming import RhymesOut

Answer = TypeVar("Answer", bound=BaseModel)

RETRIED = (429, 503)


class Refused(Exception):
    """The service did not write the poem.

    Args:
        status: HTTP status, or that of a failure event.
        message: What the service said.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Talks to one service.

    Args:
        url: Where it is.
        key: API key, if it asks for one.
        retries: How often a request that is refused with Retry-After is sent again.
        timeout_s: Longest time without an answer.
        transport: How to connect; httpx's own if None.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        retries: int = 3,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=timeout_s,
            # httpx refuses a NO_PROXY such as [::1], and sends this machine's own to a proxy.
            transport=transport or httpx.HTTPTransport(proxy=proxy_for(url)),
        )
        self._retries = retries

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def generate(self, **fields: Any) -> GenerateResponse:
        """Return the poems for a request's fields.

        Raises:
            Refused: If the service refuses.
            httpx.HTTPError: If it cannot be reached.
        """
        return self._read(self._post("/generate", fields), GenerateResponse)

    def revise(self, **fields: Any) -> ReviseResponse:
        """Return suggestions for what a request's fields name of a poem.

        Raises:
            Refused: If the service refuses.
            httpx.HTTPError: If it cannot be reached.
        """
        return self._read(self._post("/revise", fields), ReviseResponse)

    def rhymes(self, name: str, script: str = "simplified") -> RhymesOut:
        """Return how a character rhymes, or what rhymes in a group.

        Raises:
            Refused: If the service refuses, with status 404 if there is no such rhyme.
            httpx.HTTPError: If it cannot be reached.
        """
        path = f"/rhymes/{quote(name, safe='')}"
        request = self._http.build_request("GET", path, params={"script": script})
        return self._read(self._send(request), RhymesOut)

    def stream(self, **fields: Any) -> Iterator[dict[str, Any] | GenerateResponse]:
        """Yield each character as it is written (poem, line, text), and at last the answer.

        Raises:
            Refused: If the service refuses, or fails on the way.
            httpx.HTTPError: If it cannot be reached.
        """
        response = self._post("/generate/stream", fields)
        try:
            for event in EventSource(response).iter_sse():
                if event.event == "poem":
                    yield GenerateResponse.model_validate_json(event.data)
                elif event.event == "failure":
                    failure = event.json()
                    raise Refused(failure["status"], describe_detail(failure["detail"]))
                else:
                    yield event.json()
        except (SSEError, ValidationError, json.JSONDecodeError):
            raise self._not_yin(response) from None
        finally:
            response.close()

    def _read(self, response: httpx.Response, kind: type[Answer]) -> Answer:
        """Return the body of a good answer."""
        response.read()
        try:
            return kind.model_validate_json(response.content)
        except ValidationError:
            raise self._not_yin(response) from None

    def _post(self, path: str, fields: dict[str, Any]) -> httpx.Response:
        return self._send(self._http.build_request("POST", path, json=fields))

    def _send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return an answer that is good, its body not yet read."""
        for attempt in range(self._retries + 1):
            response = self._http.send(request, stream=True)
            if response.is_success:
                return response
            response.read()
            wait_s = response.headers.get("Retry-After", "")
            if (
                attempt == self._retries
                or response.status_code not in RETRIED
                or not wait_s.isdigit()
            ):
                break
            time.sleep(int(wait_s))
        raise Refused(response.status_code, described(response))

    def _not_yin(self, response: httpx.Response) -> Refused:
        """Return the error for an answer that this service would not give."""
        message = f"the server at {self._http.base_url} is not a Yin service"
        return Refused(response.status_code, message)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for an address; None without one."""
    address = httpx.URL(url)
    if is_loopback(address.host) or proxy_bypass(address.host):
        return None
    proxies = getproxies()
    return proxies.get(address.scheme) or proxies.get("all")


def described(response: httpx.Response) -> str:
    """Return in a sentence why a response refuses."""
    try:
        return describe_detail(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the service answered with status {response.status_code}"
