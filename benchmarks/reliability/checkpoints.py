"""T8: forged checkpoints with valid checksums are refused in a sentence, and soon."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.reliability.report import Report
from model.checkpoint import Checkpoint, CheckpointError, digest, write_tensors

PATIENCE_S = 10.0  # with one that is waited for


def forge(checkpoint: Checkpoint, path: Path, **metadata: Any) -> None:
    """Write a checkpoint with other metadata under a checksum that is right."""
    written = {name: str(value) for name, value in (checkpoint._metadata() | metadata).items()}
    checksum = digest(written, dict(checkpoint.weights))
    write_tensors(path, checkpoint.weights, written | {"checksum": checksum})


def forgeries(checkpoint: Checkpoint) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Yield forgeries by name, each with what writes it."""
    config = checkpoint.config.to_dict()
    for size in ("num_layers", "hidden_size", "embedding_size", "vocab_size"):
        for number in (10_000_000, 0, -1, 2**63, 1.5, "2", None, [1], float("nan")):
            text = json.dumps(config | {size: number})
            yield f"{size} {number}", partial(forge, checkpoint, config=text)
    for name in ("config", "vocabulary", "provenance"):
        for text in ("", "[]", "null", "{", "[" * 100_000, '{"characters": 7}', '{"x": 1}'):
            forged: dict[str, Any] = {name: text}
            yield f"{name} {text[:9]}", partial(forge, checkpoint, **forged)
    for dtype in (torch.int8, torch.float64, torch.bool):
        weights = {name: weight.to(dtype) for name, weight in checkpoint.weights.items()}
        yield str(dtype), partial(forge, replace(checkpoint, weights=weights))
    for value in (float("nan"), float("inf")):
        weights = {name: weight.clone() for name, weight in checkpoint.weights.items()}
        next(iter(weights.values())).view(-1)[0] = value
        yield f"a weight of {value}", partial(forge, replace(checkpoint, weights=weights))
    yield "a pipe", os.mkfifo
    yield "a folder", Path.mkdir
    for content in (b"", bytes(100)):
        yield f"{len(content)} bytes", partial(_write, content)


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def load(path: Path) -> str:
    """Return how loading a checkpoint ends: refused, loaded, not at all, or with another error."""
    ends = list[str]()

    def try_it() -> None:
        try:
            Checkpoint.load(path)
            ends.append("loaded")
        except CheckpointError as error:
            ends.append("refused" if len(str(error).split("\n")) == 1 else "more than a sentence")
        except BaseException as error:
            ends.append(type(error).__name__)

    thread = threading.Thread(target=try_it, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return ends[0] if ends else "no end"


def attack(source: Path, folder: Path) -> Report:
    """Load every forgery of a checkpoint.

    Args:
        source: The checkpoint.
        folder: Where they are written.
    """
    checkpoint = Checkpoint.load(source)
    ends, longest_s = dict[str, str](), 0.0
    for number, (name, write) in enumerate(forgeries(checkpoint)):
        path = folder / str(number)
        write(path)
        start = time.monotonic()
        ends[name] = load(path)
        longest_s = max(longest_s, time.monotonic() - start)
        if path.is_file():
            path.unlink()
    taken = {name: end for name, end in ends.items() if end != "refused"}
    # A provenance may be anything that is JSON: it is only shown.
    taken = {
        name: end for name, end in taken.items() if (name[:10], end) != ("provenance", "loaded")
    }
    report = Report({"forgeries": len(ends), "longest_s": round(longest_s, 2)})
    report.require(not taken, f"not refused: {taken}")
    return report
