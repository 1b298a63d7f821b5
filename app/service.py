"""The service: a poet, its engine, and what becomes of a request between them."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Self

import torch

from app.admission import Claim
from app.answers import GenerateResponse, ModelCard, ModelOut, PoemOut
from app.aside import Aside
from app.async_engine import AsyncEngine
from app.device import choose_device
from app.editor import Editor
from app.errors import DeadlineExceeded, UnacceptableRequest, refusing
from app.heap import trim_heap
from app.job import Job
from app.judge import Judge, spoken
from app.language import Language
from app.metrics import Metrics
from app.noting import notes_of
from app.poet_names import PoetNames
from app.rhyming import RhymesOut
from app.schemas import GenerateRequest
from app.seed import draw_request_seed
from app.settings import Settings
from app.step_time import StepTime
from app.turns import in_turns, is_plain
from model.checkpoint import Checkpoint
from model.poet.draft import Draft
from model.poet.line_filter import LineFilter
from model.poet.poem import PoemSpec, draw_seed
from model.poet.poet import Poet
from model.precision import Precision
from model.sampling import SamplingParams
from model.sequence import Sequence as TokenSequence
from model.verse.form import MAX_LENGTH
from model.verse.script import Script


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
        device = choose_device(settings.device)
        dtype = None if settings.dtype == "auto" else Precision(settings.dtype)
        self.poet = Poet(
            checkpoint, line_filter, device=device, dtype=dtype, num_slots=settings.num_slots
        )
        self.engine = AsyncEngine(
            self.poet.engine,
            self.metrics,
            max_queue_steps=settings.max_queue_steps,
            deadline_s=settings.deadline_s,
            max_held=settings.max_held,
            num_threads=settings.num_threads,
        )
        self._aside = Aside(self.metrics)
        self.judge = Judge(self._aside)
        self.model = ModelOut(
            name=checkpoint.name,
            checksum=checkpoint.checksum,
            device=self.poet.engine.device.type,
            dtype=self.poet.engine.dtype,
        )
        self.card = ModelCard.of(self.model, checkpoint)
        self.metrics.model.info(self.model.model_dump())
        self._names = PoetNames(self.poet.vocabulary.authors)
        self.editor = Editor(self.poet.reviser, self._aside, self.model, self.author)

    @classmethod
    def load(
        cls, settings: Settings, metrics: Metrics | None = None, *, measured: bool = True
    ) -> Self:
        """Load and verify what settings name.

        Args:
            settings: The deployment's choices.
            metrics: What is counted.
            measured: Whether to measure how long steps take, as whoever serves others needs.

        Raises:
            CheckpointError: If the checkpoint cannot be used.
        """
        # In a thread that ends, and with it its team of threads (see EngineThread.start).
        with ThreadPoolExecutor(1) as apart:
            service = apart.submit(cls._load, settings, metrics, measured).result()
        if measured:
            trim_heap()
        return service

    @classmethod
    def _load(cls, settings: Settings, metrics: Metrics | None, measured: bool) -> Self:
        torch.set_num_threads(settings.num_threads)
        checkpoint = Checkpoint.load(settings.checkpoint)
        lines = LineFilter.load(settings.lines) if settings.lines.exists() else None
        service = cls(settings, checkpoint, lines, metrics)
        if measured:
            step_time = StepTime.measure(service.poet.engine, service.rehearse)
            service.engine.ledger.step_time = step_time
        return service  # it has packed the weights, and those of the file go

    def rehearse(self, number: int, params: SamplingParams) -> list[TokenSequence]:
        """Return sequences of long poems, to measure with."""
        specs = (PoemSpec(length=MAX_LENGTH, params=replace(params, seed=n)) for n in range(number))
        return [self.poet.prepare(spec).sequence for spec in specs]

    def claim(self, request: GenerateRequest, caller: str) -> Claim:
        """Return what a request asks of the engine.

        Raises:
            UnacceptableRequest: If no form or no author meets it.
        """
        draw_s = self.engine.ledger.step_time.draw_s(request.params(seed=0))
        spec = self.spec(request, seed=0)
        with refusing():
            steps, slots = self.poet.steps(spec), self.poet.slots(spec)
        most = self.settings.num_slots * spec.candidates // slots
        if spec.candidates > most:
            message = f"must be at most {most} here, got {spec.candidates}"
            raise UnacceptableRequest("candidates", message)
        return Claim(request.n * slots, steps, draw_s, caller)

    def spec(self, request: GenerateRequest, seed: int) -> PoemSpec:
        """Return what a request asks of the poem that belongs to seed."""
        # Where the slots are few, what nobody asked for gives way: guidance takes as many again.
        unasked = min(self.settings.candidates, max(1, self.settings.num_slots // 2))
        author = self.author(request.author)
        return replace(request.spec(seed), candidates=request.ways(unasked), author=author)

    async def commission(self, request: GenerateRequest, claim: Claim) -> Commission:
        """Admit a request.

        Raises:
            UnacceptableRequest: If no poem meets it.
            ServiceError: If it cannot be met now.
        """
        # Room first: a refusal costs next to nothing.
        job = self.engine.admit(claim)
        try:
            async with asyncio.timeout_at(job.deadline):
                drafts = await self._prepare_all(request, claim.caller)
            self.engine.run(job, [draft.sequence for draft in drafts])
        except TimeoutError as error:
            self.engine.cancel(job)
            raise self._late() from error
        except BaseException:
            self.engine.cancel(job)
            raise
        return Commission(request, drafts, job)

    async def _prepare_all(self, request: GenerateRequest, caller: str) -> list[Draft]:
        """Return the drafts of a request, without holding up the event loop."""
        drafts = self.prepare(request, draw_request_seed(request.seed))
        # To read what is given, or to find a pattern for it, may take the model or a long search,
        # and a theme the dictionary.
        if not request.theme and (not request.given or is_plain(request.given)):
            return await in_turns(drafts)
        made = []
        # One by one, so that requests take turns here, too.
        while draft := await self._aside.call(caller, next, drafts, None):
            made.append(draft)
        return made

    async def rhymes(self, name: str, script: Script, caller: str) -> RhymesOut:
        """Return what the rhyme book has under a name.

        Raises:
            UnknownRhyme: If it is neither a character's nor a group's.
            TooMuchHeld: If too many that wait are the caller's.
            QueueFull: If too many wait to be answered.
        """
        return await self._aside.read(caller, self.look_up, name, script)

    def look_up(self, name: str, script: Script) -> RhymesOut:
        """Return the same, now.

        Raises:
            UnknownRhyme: If it is neither a character's nor a group's.
        """
        return RhymesOut.of(name, self.poet.rhyme_book.look_up(name, script), script)

    async def finish(
        self, commission: Commission, language: Language = Language.ENGLISH
    ) -> GenerateResponse:
        """Wait for a request's poems and return its answer.

        Raises:
            DeadlineExceeded: If they are not done in time.
            UnacceptableRequest: If one could not be completed.
            ServiceError: If the engine failed or shut down.
        """
        try:
            await commission.job.result()
        except TimeoutError as error:
            raise self._late() from error
        request = commission.request
        poems = await in_turns(self.choose(request, commission.drafts))
        if request.pinyin:
            caller = commission.job.reservation.claim.caller
            poems = await self._aside.call(caller, spoken, poems)
        return self.answer(request, poems, commission.started, language)

    def _late(self) -> DeadlineExceeded:
        limit_s = self.settings.deadline_s
        message = f"the poem was not finished within {limit_s:g} s; try again in 1 s"
        return DeadlineExceeded(message, retry_after_s=1)

    def write(self, request: GenerateRequest) -> GenerateResponse:
        """Return the poems of a request, written now: for a process that serves nobody else.

        Raises:
            UnacceptableRequest: If no poem meets it.
        """
        started = time.perf_counter()
        torch.set_num_threads(self.settings.num_threads)
        drafts = list(self.prepare(request, draw_request_seed(request.seed)))
        self.poet.engine.run([draft.sequence for draft in drafts])
        return self.answer(request, self.poems_of(request, drafts), started)

    def answer(
        self,
        request: GenerateRequest,
        poems: list[PoemOut],
        started: float,
        language: Language = Language.ENGLISH,
    ) -> GenerateResponse:
        """Return poems as they are answered, with notes in a language."""
        elapsed_s = round(time.perf_counter() - started, 4)
        notes = [*notes_of(request, poems[0], self.author(request.author), language)]
        return GenerateResponse(poems=poems, notes=notes, model=self.model, elapsed_s=elapsed_s)

    def author(self, name: str | None) -> str | None:
        """Return the name that the model knows a poet by."""
        return name and self._names.own_name(name)

    def prepare(self, request: GenerateRequest, seed: int) -> Iterator[Draft]:
        """Yield a draft for every poem."""
        with refusing():
            for number in range(request.n):
                yield self.poet.prepare(self.spec(request, draw_seed(seed, number)))

    def poems_of(self, request: GenerateRequest, drafts: Sequence[Draft]) -> list[PoemOut]:
        """Return the poems of drafts that the engine has completed, in pinyin if it is asked for.

        Raises:
            UnacceptableRequest: As choose().
        """
        poems = list(self.choose(request, drafts))
        return spoken(poems) if request.pinyin else poems

    def choose(self, request: GenerateRequest, drafts: Sequence[Draft]) -> Iterator[PoemOut]:
        """Yield the poems of drafts that the engine has completed, all of them different.

        Raises:
            UnacceptableRequest: If a poem could not be completed, or repeats one before it.
        """
        texts = set[tuple[int, ...]]()
        for draft in drafts:
            with refusing():
                poem = self.poet.finish(draft)
            if tuple(draft.sequence.tokens) in texts:
                raise UnacceptableRequest(
                    "n",
                    f"this request leads to fewer than {request.n} different poems; ask for "
                    "fewer, or try a higher temperature, top_k or top_p or another seed",
                )
            texts.add(tuple(draft.sequence.tokens))
            yield PoemOut.of(poem)
