"""A run of training, resumable at any moment.

TrainState is all that resuming needs. Everything random follows from the seed and the position in
the run, so a run that was killed and resumed gives, on a CPU, bit for bit the weights of one left
alone.

Several ranks (torchrun) share each batch by columns and add up their gradients: without dropout,
the loss curve is that of one rank.
"""

import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor, nn

from model.poetry_model import PoetryModel
from model.precision import compute_dtype
from training.batch import IGNORED, Batch
from training.bits import bits
from training.config import TrainConfig
from training.corpus_poem import CorpusPoem
from training.loader import Position, RunBatches, load
from training.loss import LinearCrossEntropy
from training.material import Material
from training.metrics import MetricsLog, Progress
from training.poem_dataset import PoemDataset
from training.ranks import Ranks
from training.state import StateError, TrainState


class TrainingDiverged(Exception):
    """The loss or the gradient is no longer a finite number."""


class Trainer:
    """A run in progress.

    Args:
        config: What to do.
        material: What to train and to measure on; without validation poems nothing is measured.
        folder: Where state, metrics and the curve are written; a run found there is continued.
        device: Where to compute.
        dtype: What to compute in; weights and optimizer stay float32.
        ranks: Who else takes part.
        model: What to train; if None, a PoetryModel with random weights that draws the corpus's
            tokens by their frequency. To learn that costs an output bias of zeros a thousand steps.
        started_from: Checksum of the checkpoint that gave the model its weights; else empty.
        workers: Processes that make batches ahead.

    Raises:
        StateError: If folder holds another run, or not the same one for every rank.
        ValueError: If shi are to be left out and there is nothing else.
    """

    def __init__(
        self,
        config: TrainConfig,
        material: Material,
        folder: Path,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        ranks: Ranks | None = None,
        model: PoetryModel | None = None,
        started_from: str = "",
        workers: int = 0,
    ) -> None:
        self.config, self.material, self.folder = config, material, folder
        if config.shi_share < 1 and material.dataset.first_ci is None:
            raise ValueError("shi_share leaves out shi beside ci, and there are no ci")
        self.workers = workers
        self.device = device or torch.device("cpu")
        self.dtype = dtype or compute_dtype(self.device)
        self.ranks = ranks or Ranks()
        self.validation = material.validation[: config.validation_poems]
        self.measured = {
            "validation_bits": self.validation,
            "training_bits": material.sample[: len(self.validation)],
            "ci_bits": material.ci_validation[: config.validation_poems],
        }
        torch.manual_seed(config.seed)
        if model is None:
            model = PoetryModel(config.model_config(material.vocabulary))
            begin_at_frequencies(model, material.dataset)
        self.model = model.to(self.device)
        self.state = TrainState(self.model, config.weight_decay, config.average_share, config.beta2)
        digest = material.dataset.digest()
        self.identity = asdict(config) | {"corpus": digest, "checkpoint": started_from}
        self.state.resume(folder / "state.safetensors", self.identity)
        if not self.ranks.agree(self.state.step, int(digest[:12], base=16)):
            raise StateError(
                f"the ranks found different states in {folder}, or different poems; "
                "give all of them one folder and one corpus"
            )
        self.metrics = MetricsLog(folder / "metrics.csv", self.state.step)
        self.stopped = False

    def run(self) -> None:
        """Train until the last step or until asked to stop; then save.

        Raises:
            TrainingDiverged: If the loss is not finite; the last save stays as it is.
        """
        progress = Progress(self.config.steps, self.state.step, quiet=self.ranks.rank > 0)
        with self._stopping_on_signals(), progress:
            for batch in self._batches():
                start = time.perf_counter()
                loss, grad_norm = self._update(batch)
                row = self._record(batch, loss, grad_norm, time.perf_counter() - start)
                progress.show(row)
                if self.state.step % self.config.save_every == 0:
                    self.save()
                if self.ranks.any(self.stopped):
                    self.stopped = True
                    break
        self.save()

    def save(self) -> None:
        """Write the state (by rank 0), whole or not at all."""
        if self.ranks.rank == 0:
            self.metrics.flush()
            self.state.save(self.folder / "state.safetensors", self.identity)
            self.metrics.draw(self.folder / "loss.svg")

    def _batches(self) -> Iterator[Batch]:
        """Yield the batches that are left, from the state's position in its epoch on."""
        state, config = self.state, self.config
        batches = RunBatches(self.material.dataset, config.seed, config.batch_tokens, config.draw)
        start, number = Position(state.epoch, state.position), config.steps - state.step
        on_card = self.device.type == "cuda"
        for at, batch in load(batches, start, number, workers=self.workers, pinned=on_card):
            state.epoch, state.position = at
            yield batch

    def _update(self, batch: Batch) -> tuple[float, float]:
        """Take one step; return the loss in bits per token and the norm of the whole gradient."""
        state, config = self.state, self.config
        seed = config.seed * 1_000_003 + state.step
        torch.manual_seed(seed * self.ranks.count + self.ranks.rank)  # of dropout
        share = self._loss(batch.shard(self.ranks.rank, self.ranks.count))
        share.backward()  # type: ignore[no-untyped-call]
        loss = share.detach().reshape(1)
        parameters = list(self.model.parameters())
        self.ranks.add_up([loss, *(p.grad for p in parameters if p.grad is not None)])
        grad_norm = nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
        if not (loss.isfinite() and grad_norm.isfinite()):
            raise TrainingDiverged(
                f"loss {float(loss)} and gradient norm {float(grad_norm)} at step {state.step}; "
                f"nothing was saved since step {state.saved_step}: try a lower learning rate "
                "in another folder"
            )
        state.update(config.learning_rate_at(state.step))
        return float(loss) / math.log(2), float(grad_norm)

    def _loss(self, batch: Batch) -> Tensor:
        """Return this rank's share of the mean cross entropy a target, in nats."""
        tokens, targets, cues = (
            t.to(self.device, non_blocking=True) for t in (batch.tokens, batch.targets, batch.cues)
        )
        features, _ = self.model.features(tokens, cues=cues, dtype=self.dtype)
        counted = targets != IGNORED
        weight, bias = self.model.embedding.weight, self.model.output_bias
        total: Tensor = LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
            features[counted], weight, bias, targets[counted]
        )
        return total / batch.num_targets

    def _record(
        self, batch: Batch, loss: float, grad_norm: float, elapsed_s: float
    ) -> dict[str, float]:
        row = {
            "step": self.state.step,
            "epoch": self.state.epoch,
            "loss_bits": loss,
            "grad_norm": grad_norm,
            "learning_rate": self.config.learning_rate_at(self.state.step - 1),
            "tokens": batch.num_targets,
            "tokens_per_s": batch.num_targets / elapsed_s,
        }
        last = self.state.step == self.config.steps
        if last or self.state.step % self.config.validate_every == 0:
            row |= {name: self._bits(poems) for name, poems in self.measured.items() if poems}
        self.metrics.add(row)
        return row

    def validation_bits(self) -> float | None:
        """Measure bits per character of the averaged weights on the validation poems, if any."""
        return self._bits(self.validation) if self.validation else None

    def _bits(self, poems: Sequence[CorpusPoem]) -> float:
        self.model.eval()
        with self.state.averaged():
            result = bits(self.model, self.material.vocabulary, poems, self.dtype)
        self.model.train()
        return result.bits_per_character

    @contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM end the run after the step in progress."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stopped = True

        previous = {
            number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def begin_at_frequencies(model: PoetryModel, dataset: PoemDataset) -> None:
    """Let an untrained model draw each token as often as it comes."""
    with torch.no_grad():
        model.output_bias.copy_(dataset.log_frequencies())
