import asyncio
from collections.abc import Iterator

import pytest

from app.errors import UnacceptableRequest
from app.schemas import GenerateRequest
from app.service import Service, in_turns
from app.settings import Settings


@pytest.fixture(scope="module")
def service(service_settings: Settings) -> Service:
    return Service.load(service_settings)


def test_a_measure_that_cannot_be_is_refused_before_anything_is_made(service: Service) -> None:
    request = GenerateRequest.model_validate_json('{"length": 12, "form": "gushi-7"}')
    with pytest.raises(UnacceptableRequest, match="at least 14") as refusal:
        service.write(request)
    assert refusal.value.field == "length"
    with pytest.raises(UnacceptableRequest, match="at least 14") as refusal:
        asyncio.run(service.commission(request))
    assert refusal.value.field == "length"
    assert not service.engine.jobs


def test_of_candidates_a_complete_one_is_taken(service: Service) -> None:
    request = GenerateRequest.model_validate_json('{"form": "jueju-5", "candidates": 3, "seed": 5}')
    (best,) = service.write(request).poems
    others = [
        service.write(request.model_copy(update={"n": 3, "candidates": 1})).poems[number]
        for number in range(3)
    ]
    assert best == min(others, key=lambda poem: poem.bits_per_character)


def test_a_candidate_is_not_chosen_twice(service: Service) -> None:
    request = GenerateRequest.model_validate_json('{"form": "jueju-5", "n": 2, "candidates": 3}')
    drafts = list(service.prepare(request, seed=5))
    service.poet.engine.run([draft.sequence for draft in drafts])
    again = [drafts[0], drafts[1], drafts[2], drafts[0], drafts[1], drafts[2]]
    first, second = service.choose(request, again)
    assert first.text != second.text
    assert first.bits_per_character <= second.bits_per_character


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
