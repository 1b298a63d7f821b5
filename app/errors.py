"""What can go wrong with a request, and the one handler that answers it.

ServiceError                    answered with its status and message
├── UnacceptableRequest   422   the request itself cannot be met; detail in FastAPI's shape
├── NotFound              404   there is nothing under this address
├── ClientGone            499   there is nobody left to answer
├── EngineFailed          500   the engine stopped; /health/live reports it, too
├── QueueFull             503   too much work is waiting for a slot; has Retry-After
├── WouldBeLate           503   the poem could not be done in time; has Retry-After
├── GaveWay               503   the poem gave way to older ones; has Retry-After
├── TooMuchHeld           429   the caller has too much in flight; has Retry-After
├── TooManyRequests       429   the caller has asked for too much lately; has Retry-After
├── Draining              503   the service is shutting down; has Retry-After
├── Unhealthy             503   a health check fails
└── DeadlineExceeded      504   the poem was not done in time; has Retry-After
"""

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import extract_tb
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from app.chinese import in_chinese
from app.language import Language
from model.wish import UnmetWish


class ServiceError(Exception):
    """An error that is answered to the client.

    Args:
        message: One sentence for a person.
        retry_after_s: When it is worth trying again; None if it is not.
    """

    status = 500

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s

    def said(self, _language: Language) -> Any:
        """Return what the answer has under detail, in a language where there is more than one."""
        return self.message

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}


class UnacceptableRequest(ServiceError):
    """A request that is understood but cannot be met.

    Args:
        field: The field of the body that is at fault, as the client knows it.
        message: What would be right.
    """

    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    def said(self, language: Language) -> Any:
        """Return one error in FastAPI's own shape."""
        message = in_chinese(self.message) if language is Language.CHINESE else self.message
        return [{"type": "value_error", "loc": ["body", self.field], "msg": message}]


class NotFound(ServiceError):
    """There is nothing under this address; the message says what would be right.

    Args:
        message: In English.
        chinese: The same; None for what app.chinese says.
    """

    status = 404

    def __init__(self, message: str, chinese: str | None = None) -> None:
        super().__init__(message)
        self._chinese = chinese

    def said(self, language: Language) -> Any:
        """Return what would be right."""
        if language is not Language.CHINESE:
            return self.message
        return self._chinese or in_chinese(self.message)


class ClientGone(ServiceError):
    """There is nobody left to answer."""

    status = 499


class EngineFailed(ServiceError):
    """The engine stopped with an error that is not the request's."""

    status = 500


class QueueFull(ServiceError):
    """More work is waiting for a slot than a request may wait for."""

    status = 503


class WouldBeLate(ServiceError):
    """The poem could not be done in time, so it is not begun."""

    status = 503


class GaveWay(ServiceError):
    """The poem would have been late, or would have made older ones late."""

    status = 503


class TooMuchHeld(ServiceError):
    """The caller would hold more of the engine than one may at a time."""

    status = 429


class TooManyRequests(ServiceError):
    """The caller has asked for as much as it may for now."""

    status = 429


class Draining(ServiceError):
    """The service is shutting down and takes no new poems."""

    status = 503


class Unhealthy(ServiceError):
    """A health check fails."""

    status = 503


class DeadlineExceeded(ServiceError):
    """The poem was not done in time."""

    status = 504


def language_of(request: Request) -> Language:
    """Return the language that a caller is answered in."""
    return Language.preferred(request.headers.get("Accept-Language", ""))


async def answer_service_error(request: Request, error: Exception) -> JSONResponse:
    """Answer a ServiceError with its status."""
    if not isinstance(error, ServiceError):
        raise error
    detail = error.said(language_of(request))
    return JSONResponse({"detail": detail}, error.status, headers=error.headers)


def describe_crash(error: BaseException) -> dict[str, Any]:
    """Return where an error happened, for the log.

    Its message is left out, because it may hold the text of a request.
    """
    frames = extract_tb(error.__traceback__)
    at = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": at}


def describe_detail(detail: Any) -> str:
    """Return an answer's detail, in FastAPI's shape or a sentence, as text."""
    if isinstance(detail, str):
        return detail
    return "; ".join(
        ": ".join(filter(None, [".".join(map(str, error["loc"][1:])), error["msg"]]))
        for error in detail
    )


@contextmanager
def refusing() -> Iterator[None]:
    """Refuse a request whose wish cannot be met, naming the field at fault.

    Raises:
        UnacceptableRequest: If it cannot be met.
    """
    try:
        yield
    except UnmetWish as error:
        raise UnacceptableRequest(error.field, str(error)) from error
