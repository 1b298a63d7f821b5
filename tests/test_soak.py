"""What the soak takes for a fault."""

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.soak import Sample, Tally, characters_a_processor_second, faults

BUSY = Sample(
    at_s=0,
    rss_mib=500,
    descriptors=120,
    slots_busy=128,
    queued=9,
    processor_s=0,
    characters=0,
)
IDLE = replace(BUSY, descriptors=20, slots_busy=0, queued=0)


def tally(**last: int) -> Tally:
    """Two minutes in which all is well, but for what is given of the last sample."""
    busy = [
        replace(BUSY, at_s=10.0 * n, processor_s=20.0 * n, characters=30_000 * n)
        for n in range(1, 13)
    ]
    return Tally(Counter(poem=90, left=9, **{"503": 1}), [IDLE, *busy, replace(IDLE, **last)])


def test_a_service_that_is_well_has_no_fault() -> None:
    assert faults(tally(), slots=128) == []


@pytest.mark.parametrize(
    ("last", "fault"),
    [
        ({"slots_busy": 1}, "something is still in use"),
        ({"queued": 2}, "something is still in use"),
        ({"descriptors": 21}, "21 files are open at the end, before 20"),
    ],
)
def test_what_is_left_over_is_a_fault(last: dict[str, int], fault: str) -> None:
    (found,) = faults(tally(**last), slots=128)
    assert fault in found


def test_memory_that_grows_is_a_fault() -> None:
    grown = tally()
    grown.samples[-2] = replace(grown.samples[-2], rss_mib=530)
    (found,) = faults(grown, slots=128)
    assert found.startswith("memory grew from 500 MiB")


def test_slots_that_are_lost_are_a_fault() -> None:
    lost = tally()
    lost.samples[7:-1] = [replace(each, slots_busy=127) for each in lost.samples[7:-1]]
    assert faults(lost, slots=128) == ["the slots were not all in use in the second half"]


def test_an_answer_that_is_neither_poem_nor_refusal_is_a_fault() -> None:
    failed = tally()
    failed.outcomes["500"] += 3
    assert faults(failed, slots=128) == ["3 requests ended with '500'"]


def test_work_is_counted_after_the_warm_up() -> None:
    assert characters_a_processor_second(tally()) == 1500
