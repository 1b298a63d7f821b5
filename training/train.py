"""Training: from the corpus's poems to a checkpoint, resumable at any moment.

TrainState is all that resuming needs. Everything random follows from the seed and the position in
the run, so a run that was killed and resumed gives, on a CPU, bit for bit the weights of one left
alone.

Several ranks (torchrun) share each batch by columns and add up their gradients: the loss curve is
that of one rank.
"""

import importlib.metadata
import json
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from model.checkpoint import Checkpoint, CheckpointError
from model.poetry_model import PoetryModel
from model.precision import compute_dtype
from model.script import is_han
from model.vocabulary import Vocabulary
from training.bits import bits
from training.config import TrainConfig
from training.corpus import Poem, prolific_authors, read_poems
from training.dataset import IGNORED, Batch, PoemDataset
from training.loss import LinearCrossEntropy
from training.metrics import Metrics, Progress
from training.ranks import Ranks
from training.state import StateError, TrainState

app = typer.Typer(help=__doc__, add_completion=False)


class TrainingDiverged(Exception):
    """The loss or the gradient is no longer a finite number."""


class Trainer:
    """A run in progress.

    Args:
        config: What to do.
        vocabulary: The meaning of token ids.
        poems: What to train on.
        validation: What to measure on.
        folder: Where state, metrics and the curve are written; a run found there goes on.
        device: Where to compute.
        dtype: What to compute in; weights and optimizer stay float32.
        ranks: Who else takes part.
        model: What to train; if None, a PoetryModel with random weights that draws the corpus's
            tokens by their frequency. To learn that costs an output bias of zeros a thousand steps.

    Raises:
        StateError: If folder holds a run of another configuration.
    """

    def __init__(
        self,
        config: TrainConfig,
        vocabulary: Vocabulary,
        poems: list[Poem],
        validation: list[Poem],
        folder: Path,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        ranks: Ranks | None = None,
        model: PoetryModel | None = None,
    ) -> None:
        self.config, self.vocabulary, self.folder = config, vocabulary, folder
        self.device = device or torch.device("cpu")
        self.dtype = dtype or compute_dtype(self.device)
        self.ranks = ranks or Ranks()
        self.dataset = PoemDataset.from_poems(poems, vocabulary)
        self.validation = validation[: config.validation_poems]
        torch.manual_seed(config.seed)
        if model is None:
            model = PoetryModel(config.model_config(vocabulary))
            begin_at_frequencies(model, self.dataset)
        self.model = model.to(self.device)
        self.state = TrainState(self.model, config.weight_decay)
        self.state.resume(folder / "state.safetensors", config)
        self.metrics = Metrics(folder / "metrics.csv", self.state.step)
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
            self.state.save(self.folder / "state.safetensors", self.config)
            self.metrics.draw(self.folder / "loss.svg")

    def _batches(self) -> Iterator[Batch]:
        """Yield the batches that are left, from the state's place in its epoch on."""
        state, config = self.state, self.config
        while state.step < config.steps:
            epoch = self.dataset.epoch(config.seed, state.epoch, config.batch_tokens)
            while state.position < len(epoch) and state.step < config.steps:
                yield epoch[state.position]
            if state.position >= len(epoch):
                state.epoch, state.position = state.epoch + 1, 0

    def _update(self, batch: Batch) -> tuple[float, float]:
        """Take one step; return the loss in bits a token and the norm of the whole gradient."""
        state, config = self.state, self.config
        torch.manual_seed(config.seed * 1_000_003 + state.step)  # of dropout
        share = self._loss(batch.shard(self.ranks.rank, self.ranks.count))
        share.backward()  # type: ignore[no-untyped-call]
        loss = share.detach().reshape(1)
        parameters = list(self.model.parameters())
        self.ranks.add_up([loss, *(p.grad for p in parameters if p.grad is not None)])
        grad_norm = nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
        if not (loss.isfinite() and grad_norm.isfinite()):
            raise TrainingDiverged(
                f"loss {float(loss)} and gradient norm {float(grad_norm)} at step {state.step}; "
                f"nothing was saved since step {state.saved_step}: try a lower learning rate"
            )
        state.update(config.learning_rate_at(state.step))
        return float(loss) / math.log(2), float(grad_norm)

    def _loss(self, batch: Batch) -> Tensor:
        """Return this rank's share of the mean cross entropy a target, in nats."""
        tokens, targets, places = (
            t.to(self.device) for t in (batch.tokens, batch.targets, batch.places)
        )
        features, _ = self.model.features(tokens, places=places, dtype=self.dtype)
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
        if self.validation and (last or self.state.step % self.config.validate_every == 0):
            row["validation_bits"] = self.validation_bits()
        self.metrics.add(row)
        return row

    def validation_bits(self) -> float:
        """Measure bits a character on the validation poems."""
        self.model.eval()
        result = bits(self.model, self.vocabulary, self.validation, self.dtype)
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


def keep_few_kernels() -> None:
    """Bound oneDNN's memory of kernels, before its first.

    It keeps one for each of the last 1,024 shapes, and hardly two batches have the same: memory
    would grow for hundreds of updates.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")


def build_vocabulary(poems: Sequence[Poem], min_count: int, min_poems: int) -> Vocabulary:
    """Return the vocabulary of a corpus.

    Args:
        poems: The training split.
        min_count: How often a character must stand in bodies to get a token.
        min_poems: How many poems an author must have to get one.
    """
    counts = Counter("".join(poem.text for poem in poems))
    characters = [c for c, count in counts.most_common() if is_han(c) and count >= min_count]
    return Vocabulary(characters, prolific_authors(poems, min_poems))


def begin_at_frequencies(model: PoetryModel, dataset: PoemDataset) -> None:
    """Let an untrained model draw each token as often as it comes."""
    with torch.no_grad():
        model.output_bias.copy_(dataset.log_frequencies())


def start_from(checkpoint: Checkpoint, config: TrainConfig) -> PoetryModel:
    """Return a model to train on, with the weights of a checkpoint.

    A checkpoint without skip connections may get them: with weights of zero they change nothing.

    Raises:
        ValueError: If the run's sizes are not the checkpoint's.
    """
    wanted = config.model_config(checkpoint.vocabulary)
    before = replace(checkpoint.config, dropout=config.dropout)
    added = wanted.skip_connections and not before.skip_connections
    if replace(before, skip_connections=before.skip_connections or added) != wanted:
        raise ValueError(f"the checkpoint has {checkpoint.config}, the run wants {wanted}")
    model = PoetryModel(wanted)
    weights = dict(checkpoint.weights)
    if added:
        top = weights["projection.weight"]  # (E, H)
        below = top.new_zeros(len(top), model.projection.in_features - top.shape[1])
        weights["projection.weight"] = torch.cat((below, top), dim=1)
    model.load_state_dict(weights)
    return model


def export(trainer: Trainer, name: str, provenance: dict[str, Any]) -> Checkpoint:
    """Return the trained model as a checkpoint, its weights rounded to bfloat16."""
    weights = {key: w.detach().bfloat16() for key, w in trainer.model.state_dict().items()}
    training = asdict(trainer.config) | {
        "step": trainer.state.step,
        "validation_bits": trainer.validation_bits(),
        "code_version": importlib.metadata.version("yin-poetry"),
        "torch": torch.__version__,
    }
    config, vocabulary = trainer.model.config, trainer.vocabulary
    return Checkpoint(name, config, vocabulary, weights, {**provenance, "training": training})


@app.command()
def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="Folder of the run; one found there goes on.")] = Path(
        "runs/poetry"
    ),
    name: Annotated[str, typer.Option(help="What the model is called.")] = "yin",
    checkpoint: Annotated[
        Path | None, typer.Option(help="What to go on from, with its vocabulary.")
    ] = None,
    min_count: Annotated[int, typer.Option(help="Count that gives a character a token.")] = 15,
    min_poems: Annotated[int, typer.Option(help="Poems that give an author a token.")] = 100,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="A field of TrainConfig: steps=100.")
    ] = None,
) -> None:
    """Train on the corpus and write OUT/poetry.safetensors; a stopped run goes on where it was."""
    keep_few_kernels()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        config = TrainConfig.parse(options or [])
        report = json.loads((corpus / "report.json").read_text())
        poems = list(read_poems(corpus / "train.jsonl"))
        validation = list(read_poems(corpus / "validation.jsonl"))
        out.mkdir(parents=True, exist_ok=True)
        provenance = {"corpus": report}
        if checkpoint is None:
            vocabulary, model = build_vocabulary(poems, min_count, min_poems), None
        else:
            before = Checkpoint.load(checkpoint)
            vocabulary, model = before.vocabulary, start_from(before, config)
            provenance["started_from"] = {"checksum": before.checksum, **before.provenance}
        with Ranks.joined(device) as ranks:
            trainer = Trainer(
                config, vocabulary, poems, validation, out, device, ranks=ranks, model=model
            )
            trainer.run()
            if ranks.rank == 0 and not trainer.stopped:
                export(trainer, name, provenance).save(out / "poetry.safetensors")
    except (OSError, ValueError, CheckpointError, StateError, TrainingDiverged) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if trainer.stopped:
        typer.echo(f"stopped and saved at step {trainer.state.step}; the same command goes on")
        ranks.finish(130)
        raise typer.Exit(130)
    if ranks.rank == 0:
        typer.echo(f"wrote {out / 'poetry.safetensors'}")
    ranks.finish()


if __name__ == "__main__":
    app()
