"""The service: a poet, its engine, and what becomes of a request between them."""

import asyncio
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self, TypeVar

import torch

from app.answers import GenerateResponse, ModelCard, ModelOut, PoemOut
from app.async_engine import AsyncEngine
from app.errors import DeadlineExceeded, UnacceptableRequest
from app.job import Job
from app.metrics import Metrics
from app.schemas import GenerateRequest
from app.settings import Settings
from model.checkpoint import Checkpoint
from model.poet.line_filter import LineFilter
from model.poet.poem import draw_seed
from model.poet.poet import Draft, Poet
from model.precision import Precision
from model.wish import UnmetWish

Item = TypeVar("Item")

SEED_BITS = 48  # of a drawn seed: JavaScript's numbers hold it exactly


class Commission:
    """The drafts of one request, and the job that the engine runs for it."""

    def __init__(self, request: GenerateRequest, drafts: Sequence[Draft], job: Job) -> None:
        self.request, self.drafts, self.job = request, drafts, job
        self.started = job.submitted


class Service:
    """What the routes call.

    Args:
        settings: The deployment's choices.
        checkpoint: The model to serve, verified.
        line_filter: The corpus's lines; None if they are not at hand.
        metrics: What is counted.
    """

    def __init__(
        self,
        settings: Settings,
        checkpoint: Checkpoint,
        line_filter: LineFilter | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.settings = settings
        self.metrics = metrics or Metrics()
        self.checkpoint = checkpoint
        device = settings.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = None if settings.dtype == "auto" else Precision(settings.dtype)
        self.poet = Poet(
            checkpoint, line_filter, device=device, dtype=dtype, num_slots=settings.num_slots
        )
        self.engine = AsyncEngine(
            self.poet.engine,
            self.metrics,
            max_queue_steps=settings.max_queue_steps,
            deadline_s=settings.deadline_s,
            num_threads=settings.num_threads,
        )
        self.model = ModelOut(
            name=checkpoint.name,
            checksum=checkpoint.checksum,
            device=self.poet.engine.device.type,
            dtype=self.poet.engine.dtype,
        )
        self.metrics.model.info(self.model.model_dump())

    @classmethod
    def load(cls, settings: Settings, metrics: Metrics | None = None) -> Self:
        """Load and verify what settings name.

        Raises:
            CheckpointError: If the checkpoint cannot be used.
        """
        # In a thread that ends, and with it its team of threads (see AsyncEngine.start).
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(cls._load, settings, metrics).result()

    @classmethod
    def _load(cls, settings: Settings, metrics: Metrics | None) -> Self:
        torch.set_num_threads(settings.num_threads)
        checkpoint = Checkpoint.load(settings.checkpoint)
        lines = LineFilter.load(settings.lines) if settings.lines.exists() else None
        return cls(settings, checkpoint, lines, metrics)

    @property
    def card(self) -> ModelCard:
        """What is served, in full."""
        return ModelCard(
            **self.model.model_dump(),
            vocab_size=self.checkpoint.config.vocab_size,
            parameters=sum(weight.numel() for weight in self.checkpoint.weights.values()),
            authors=list(self.checkpoint.vocabulary.authors),
            provenance=dict(self.checkpoint.provenance),
        )

    async def commission(self, request: GenerateRequest) -> Commission:
        """Admit a request.

        Raises:
            UnacceptableRequest: If no poem meets it.
            ServiceError: If it cannot be met now.
        """
        # Room first: what is refused has cost next to nothing.
        with refusing():
            steps = self.poet.steps(request.spec(seed=0))
        job = self.engine.admit(request.n * request.candidates, steps)
        try:
            drafts = await in_turns(self.prepare(request, draw_request_seed(request)))
            self.engine.run(job, [draft.sequence for draft in drafts])
        except BaseException:
            self.engine.cancel(job)
            raise
        return Commission(request, drafts, job)

    async def finish(self, commission: Commission) -> GenerateResponse:
        """Wait for a request's poems and return its answer.

        Raises:
            DeadlineExceeded: If they are not done in time.
            UnacceptableRequest: If one could not be completed.
            ServiceError: If the engine failed or shut down.
        """
        try:
            await commission.job.result()
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the poem was not finished within {self.settings.deadline_s:g} s", retry_after_s=1
            ) from error
        poems = await in_turns(self.choose(commission.request, commission.drafts))
        return self.answer(poems, commission.started)

    def write(self, request: GenerateRequest) -> GenerateResponse:
        """Return the poems of a request, written now: for a process that serves nobody else.

        Raises:
            UnacceptableRequest: If no poem meets it.
        """
        started = time.perf_counter()
        torch.set_num_threads(self.settings.num_threads)
        drafts = list(self.prepare(request, draw_request_seed(request)))
        self.poet.engine.run([draft.sequence for draft in drafts])
        return self.answer(list(self.choose(request, drafts)), started)

    def answer(self, poems: list[PoemOut], started: float) -> GenerateResponse:
        elapsed_s = round(time.perf_counter() - started, 4)
        return GenerateResponse(poems=poems, model=self.model, elapsed_s=elapsed_s)

    def prepare(self, request: GenerateRequest, seed: int) -> Iterator[Draft]:
        """Yield a draft for every poem and candidate, poem by poem."""
        with refusing():
            for number in range(request.n * request.candidates):
                yield self.poet.prepare(request.spec(draw_seed(seed, number)))

    def choose(self, request: GenerateRequest, drafts: Sequence[Draft]) -> Iterator[PoemOut]:
        """Yield of each poem's candidates the one that the model likes best and that is new.

        Raises:
            UnacceptableRequest: If a poem could not be completed, or repeats one before it.
        """
        size, chosen = request.candidates, set[tuple[int, ...]]()
        for first in range(0, len(drafts), size):
            candidates = drafts[first : first + size]
            new = [draft for draft in candidates if tuple(draft.sequence.tokens) not in chosen]
            if not new:
                raise UnacceptableRequest(
                    "n",
                    f"this request leads to fewer than {request.n} different poems; ask for "
                    "fewer, or try a higher temperature, top_k or top_p or another seed",
                )
            best = min(new, key=dislike)
            chosen.add(tuple(best.sequence.tokens))
            with refusing():
                poem = self.poet.finish(best)
            yield PoemOut.of(poem)


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


def dislike(draft: Draft) -> tuple[bool, float]:
    """Return what orders candidates, the best first: the complete ones, by their bits."""
    return draft.sequence.error is not None, draft.sequence.bits


async def in_turns(items: Iterable[Item]) -> list[Item]:
    """Return items as a list; between one and the next, the event loop does other things.

    A thread would not help: it would take the interpreter from the engine's thread in the same way,
    and answers would wait in its queue after requests that came later.
    """
    made = []
    for item in items:
        made.append(item)
        await asyncio.sleep(0)
    return made


def draw_request_seed(request: GenerateRequest) -> int:
    """Return a request's seed, drawn if it has none."""
    return secrets.randbits(SEED_BITS) if request.seed is None else request.seed
