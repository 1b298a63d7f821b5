"""The batches of a run in their order, made ahead by worker processes."""

import signal
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from torch.utils.data import DataLoader, Dataset

from training.batch import Batch
from training.draw import Draw
from training.epoch import Epoch
from training.poem_dataset import PoemDataset

AHEAD = 4  # batches of each worker


class Position(NamedTuple):
    """Which batch of a run."""

    epoch: int
    number: int


class RunBatches(Dataset[tuple[Position, Batch]]):
    """All batches of a run.

    Args:
        dataset: What they are made of.
        seed: Of their order.
        batch_tokens: Tokens per batch, padding included.
        draw: What is drawn for each sequence.
    """

    def __init__(self, dataset: PoemDataset, seed: int, batch_tokens: int, draw: Draw) -> None:
        self._dataset, self._seed, self._batch_tokens = dataset, seed, batch_tokens
        self._draw = draw
        self._number, self._epoch = 0, self._drawn(0)

    def __getitem__(self, position: Position) -> tuple[Position, Batch]:
        return position, self._of(position.epoch)[position.number]

    def positions(self, start: Position) -> Iterator[Position]:
        """Yield the positions of a run from one on, without an end."""
        epoch, first = start
        while True:
            for number in range(first, len(self._of(epoch))):
                yield Position(epoch, number)
            epoch, first = epoch + 1, 0

    def _of(self, number: int) -> Epoch:
        """Return an epoch; the last one asked for is at hand."""
        if number != self._number:
            self._epoch, self._number = self._drawn(number), number
        return self._epoch

    def _drawn(self, number: int) -> Epoch:
        return Epoch.drawn(self._dataset, self._seed, number, self._batch_tokens, self._draw)


def load(
    batches: RunBatches, start: Position, number: int, *, workers: int = 0, pinned: bool = False
) -> Iterator[tuple[Position, Batch]]:
    """Yield batches of a run and their positions, the same whatever the number of workers.

    Args:
        batches: Of the run.
        start: The first position.
        number: How many batches.
        workers: Processes that make them ahead; with 0 they are made when they are asked for.
        pinned: Whether they are put into memory that a graphics card reads fastest.
    """
    positions = islice(batches.positions(start), number)
    if workers == 0:
        yield from map(batches.__getitem__, positions)
        return
    yield from DataLoader(
        batches,
        batch_size=None,
        sampler=positions,
        num_workers=workers,
        prefetch_factor=AHEAD,
        collate_fn=_as_it_is,
        worker_init_fn=_leave_interrupts_to_the_run,
        multiprocessing_context="spawn",  # a fork would copy the locks of threads
        pin_memory=pinned,
    )


def _as_it_is(item: Any) -> Any:
    return item


def _leave_interrupts_to_the_run(_worker: int) -> None:
    """Ignore Ctrl-C, which reaches the workers too: the run ends after the step in progress."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
