import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from typing import Any

import pytest

from app.errors import ServiceError, UnacceptableRequest
from app.schemas import GenerateRequest
from app.service import Service
from app.settings import Settings
from app.turns import in_turns
from model.poet.theme import MAX_CHARACTERS


@pytest.fixture(scope="module")
def service(service_settings: Settings) -> Service:
    return Service.load(service_settings)


def test_a_measure_that_cannot_be_is_refused_before_anything_is_made(service: Service) -> None:
    request = GenerateRequest.model_validate_json('{"length": 12, "form": "gushi-7"}')
    with pytest.raises(UnacceptableRequest, match="at least 14") as refusal:
        service.write(request)
    assert refusal.value.field == "length"
    with pytest.raises(UnacceptableRequest, match="at least 14") as refusal:
        service.claim(request, "test")
    assert refusal.value.field == "length"
    assert not service.engine.jobs


def test_a_poem_that_comes_again_is_refused(service: Service) -> None:
    request = GenerateRequest.model_validate_json('{"form": "jueju-5", "n": 2}')
    drafts = list(service.prepare(request, seed=5))
    service.poet.engine.run([draft.sequence for draft in drafts])
    first, second = service.choose(request, drafts)
    assert first.text != second.text
    with pytest.raises(UnacceptableRequest, match="fewer than 2 different poems") as refusal:
        list(service.choose(request, [drafts[0], drafts[0]]))
    assert refusal.value.field == "n"


def test_candidates_are_as_the_service_is_set_unless_a_request_says(service: Service) -> None:
    own = service.settings.candidates
    for fields, expected in (("{}", own), ('{"candidates": 3}', 3)):
        request = GenerateRequest.model_validate_json(fields)
        assert service.spec(request, seed=1).candidates == expected
        assert service.write(request).poems[0].candidates == expected


def test_a_claim_has_a_slot_for_each_candidate_and_as_many_for_guidance(service: Service) -> None:
    def slots(fields: str) -> int:
        return service.claim(GenerateRequest.model_validate_json(fields), "test").count

    assert slots('{"candidates": 3}') == 3
    assert slots('{"candidates": 3, "title": "登樓"}') == 6
    assert slots('{"candidates": 3, "title": "登樓", "guidance": 1}') == 3
    assert slots('{"candidates": 3, "temperature": 0}') == 1


def test_a_claim_reckons_with_a_theme_without_reading_it(service: Service) -> None:
    def claim(fields: str) -> tuple[int, int]:
        made = service.claim(GenerateRequest.model_validate_json(fields), "test")
        return made.count, made.steps

    count, steps = claim('{"candidates": 3, "theme": "雪夜"}')
    plain, without = claim('{"candidates": 3}')
    assert count == 2 * plain
    assert steps == without + 1 + MAX_CHARACTERS
    assert claim('{"candidates": 3, "theme": "xyzzy"}') == (count, steps)
    draft = next(service.prepare(GenerateRequest(theme="雪夜"), seed=1))
    assert len(draft.sequence.header) - 1 + 32 <= steps


def test_no_dictionary_is_read_for_those_who_have_no_modern_theme(
    service_settings: Settings,
) -> None:
    service = Service.load(service_settings, measured=False)
    service.write(GenerateRequest(title="雪夜", seed=1))
    assert "_themes" not in vars(service.poet)
    service.write(GenerateRequest(theme="雪夜", seed=1))
    assert "_meanings" not in vars(service.poet._themes)


def test_the_services_own_candidates_count_against_n(service: Service) -> None:
    service = copy(service)
    service.settings = service.settings.model_copy(update={"candidates": 8})
    request = GenerateRequest(n=9)
    with pytest.raises(UnacceptableRequest, match=r"at most 8 where .* 8 ways") as refusal:
        service.claim(request, "test")
    assert refusal.value.field == "n"
    assert service.spec(GenerateRequest(n=8), seed=1).candidates == 8
    assert service.spec(GenerateRequest(n=9, candidates=7), seed=1).candidates == 7


def test_more_candidates_than_slots_are_refused(service: Service) -> None:
    request = GenerateRequest.model_validate_json('{"candidates": 9, "title": "登樓"}')
    with pytest.raises(UnacceptableRequest, match="must be at most 8 here, got 9") as refusal:
        service.claim(request, "test")
    assert refusal.value.field == "candidates"


def test_between_items_others_have_their_turn() -> None:
    async def scenario() -> list[str]:
        order: list[str] = []

        def items() -> Iterator[int]:
            for item in (1, 2):
                order.append(f"item {item}")
                yield item

        async def other() -> None:
            order.append("other")

        waiting = asyncio.ensure_future(other())
        made = await in_turns(items())
        assert made == [1, 2]
        await waiting
        return order

    assert asyncio.run(scenario()) == ["item 1", "other", "item 2"]


OWN_THREAD: list[dict[str, Any]] = [{}, {"start": "日"}, {"title": "登樓"}]
ASIDE: list[dict[str, Any]] = [
    {"start": "里"},
    {"start": "日月"},
    {"acrostic": "春夏秋冬"},
    {"opening": "日紅山夜湖"},
    {"theme": "雪夜"},
]


def test_what_takes_long_to_prepare_does_not_hold_the_event_loop(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def slow(*_: Any) -> Iterator[None]:
        threads.append(threading.current_thread().name)
        yield from ()

    monkeypatch.setattr(service, "prepare", slow)

    async def scenario() -> None:
        for wishes in OWN_THREAD + ASIDE:
            request = GenerateRequest.model_validate(wishes)
            with suppress(ServiceError, ValueError):
                await service.commission(request, service.claim(request, "test"))

    asyncio.run(scenario())
    own = threading.current_thread().name
    assert [name == own for name in threads] == [True] * len(OWN_THREAD) + [False] * len(ASIDE)


@pytest.mark.parametrize(("num_slots", "candidates"), [(1, 1), (4, 2), (7, 3), (16, 4)])
def test_where_slots_are_few_a_poem_is_written_in_fewer_ways(
    service_settings: Settings, num_slots: int, candidates: int
) -> None:
    few = service_settings.model_copy(update={"num_slots": num_slots, "candidates": 4})
    service = Service.load(few, measured=False)
    request = GenerateRequest.model_validate({"title": "登樓", "guidance": 1 + (num_slots > 1)})
    assert service.claim(request, "test").count == candidates * (1 + (num_slots > 1))


@pytest.mark.parametrize("field", ["title", "start", "acrostic", "author"])
def test_a_long_text_is_refused_before_it_is_read(field: str) -> None:
    with pytest.raises(ValueError, match="at most 1000 characters, marks included"):
        GenerateRequest.model_validate({field: "（日" * 501})
    with pytest.raises(ValueError, match=field):
        GenerateRequest.model_validate({field: "日" * 999})
