"""The editor: revises poems with the service's engine."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from app.admission import Claim
from app.answers import ModelOut
from app.aside import Aside
from app.async_engine import AsyncEngine
from app.errors import DeadlineExceeded, refusing
from app.job import Job
from app.revision import ReviseRequest, ReviseResponse, SuggestionOut
from app.seed import draw_request_seed
from model.engine import Engine
from model.poet.reviser import Beginning, Reviser
from model.poet.revision import RevisionSpec, Suggestion
from model.poet.standing_poem import StandingPoem
from model.sequence import Sequence as TokenSequence


class Editor:
    """Answers revisions.

    Args:
        reviser: Of the model that is served.
        aside: Where poems are read and judged.
        model: What it is called in answers.
        author: Returns the name that the model knows a poet by.
    """

    def __init__(
        self,
        reviser: Reviser,
        aside: Aside,
        model: ModelOut,
        author: Callable[[str | None], str | None],
    ) -> None:
        self._reviser, self._aside, self._model = reviser, aside, model
        self._author = author

    def _spec(self, request: ReviseRequest, seed: int) -> RevisionSpec:
        return replace(request.spec(seed), author=self._author(request.author))

    async def revise(
        self,
        request: ReviseRequest,
        engine: AsyncEngine,
        caller: str,
        charge: Callable[[int], None],
    ) -> ReviseResponse:
        """Return suggestions.

        Args:
            request: What is asked.
            engine: Where it runs.
            caller: On whose account.
            charge: Takes what it costs, in slot-steps.

        Raises:
            UnacceptableRequest: If there is nothing to suggest.
            DeadlineExceeded: If it is not done in time.
            ServiceError: If it cannot be met now.
        """
        started, seed = time.perf_counter(), draw_request_seed(request.seed)
        with refusing():
            spec = self._spec(request, seed)
            revision = await self._aside.read(caller, self._reviser.read, spec)
        claims = [Claim(*cost, caller=caller) for cost in self._reviser.costs(revision)]
        charge(sum(map(engine.ledger.cost, claims)))
        jobs = list[Job]()
        try:
            for claim in claims:
                jobs.append(engine.admit(claim))
            async with asyncio.timeout_at(jobs[0].deadline):
                with refusing():
                    beginning, found = await self._suggest(revision, engine, jobs)
        except TimeoutError as error:
            message = "the suggestions were not found in time; try again in 1 s"
            raise DeadlineExceeded(message, retry_after_s=1) from error
        finally:
            for job in jobs:
                engine.cancel(job)
        return self._answer(beginning, found, seed, started)

    async def _suggest(
        self, revision: StandingPoem, engine: AsyncEngine, jobs: list[Job]
    ) -> tuple[Beginning, list[Suggestion]]:
        """Return suggestions, with admitted jobs: one reads the poem, the other goes on."""
        reviser, aside, caller = self._reviser, self._aside, jobs[0].reservation.claim.caller
        beginning = await aside.call(caller, reviser.begin, revision)
        engine.run(jobs[0], [beginning.sequence])
        await jobs[0].result()
        ways = reviser.go_on(beginning)
        if ways:
            engine.run(jobs[1], ways)
            await jobs[1].result()
        return beginning, await aside.call(caller, reviser.finish, beginning, ways)

    def write(self, request: ReviseRequest, engine: Engine) -> ReviseResponse:
        """Return suggestions, found now: for a process that serves nobody else.

        Raises:
            UnacceptableRequest: If there is nothing to suggest.
        """
        started, seed = time.perf_counter(), draw_request_seed(request.seed)
        with refusing():
            beginning = self._reviser.begin(self._reviser.read(self._spec(request, seed)))
            engine.run([beginning.sequence])
            ways: list[TokenSequence] = self._reviser.go_on(beginning)
            engine.run(ways)
            found = self._reviser.finish(beginning, ways)
        return self._answer(beginning, found, seed, started)

    def _answer(
        self, beginning: Beginning, found: list[Suggestion], seed: int, started: float
    ) -> ReviseResponse:
        revision = beginning.poem
        return ReviseResponse(
            lines=list(revision.lines),
            spots=[[line + 1, character + 1] for line, character in revision.spots],
            suggestions=[SuggestionOut.of(each) for each in found],
            kept=beginning.rules.names,
            seed=seed,
            model=self._model,
            elapsed_s=round(time.perf_counter() - started, 4),
        )
