"""How a run of training is configured: the model's sizes, and how it is trained."""

import math
from dataclasses import dataclass
from typing import Annotated

from typer import Option

from model.poetry_model import PoetryConfig
from model.vocabulary import Vocabulary
from training.draw import MAX_TITLE_AFTER, Draw

# Fields that are shares, and the most that they may be: titles that stand in the header are not
# repeated after the poem.
SHARES = {
    "decay_share": 1.0,
    "average_share": 1.0,
    "cue_share": 1.0,
    "title_after": MAX_TITLE_AFTER,
    "shi_share": 1.0,
}


@dataclass(frozen=True)
class TrainConfig:
    """One run: the model's sizes and how it is trained. Each field is an option of the command.

    Raises:
        ValueError: If a field is out of range.
    """

    steps: Annotated[int, Option(help="Updates of the weights.")] = 2500
    batch_tokens: Annotated[int, Option(help="Tokens per update, padding included.")] = 4096
    learning_rate: Annotated[float, Option(help="The highest, after the warm-up.")] = 3e-3
    warmup_steps: Annotated[int, Option(help="Updates in which the learning rate rises.")] = 100
    decay_share: Annotated[
        float,
        Option(
            help="Share of the updates after the warm-up, the last ones, over which the learning "
            "rate falls to zero as a cosine. Below 1 a run can be made longer before it falls."
        ),
    ] = 0.2
    linear_decay: Annotated[bool, Option(help="Whether it falls as a line instead.")] = False
    average_share: Annotated[
        float,
        Option(
            help="Share of the updates, about the last ones, whose weights are averaged to be "
            "measured and exported; 0 for the last weights alone."
        ),
    ] = 0.1
    beta2: Annotated[float, Option(help="How slowly AdamW forgets how large gradients were.")] = (
        0.98
    )
    weight_decay: Annotated[float, Option(help="Of the matrices but the embedding.")] = 0.02
    max_grad_norm: Annotated[float, Option(help="The gradient is clipped at this norm.")] = 1.0
    embedding_size: Annotated[int, Option(help="Features of each token's embedding.")] = 384
    hidden_size: Annotated[int, Option(help="Features of each layer's state.")] = 768
    num_layers: Annotated[int, Option(help="Layers of the LSTM.")] = 2
    skip_connections: Annotated[bool, Option(help="Whether the output reads every layer.")] = True
    dropout: Annotated[float, Option(help="Share of activations set to zero in training.")] = 0.0
    cue_share: Annotated[float, Option(help="Share of the sequences with their cues.")] = 0.5
    title_after: Annotated[
        float,
        Option(help="Share of the titled poems whose title comes after the poem, to be predicted."),
    ] = 0.25
    keywords: Annotated[
        bool, Option(help="Whether headers may have a keyword for each couplet, to be predicted.")
    ] = True
    shi_share: Annotated[
        float, Option(help="Share of the shi that an epoch has beside all ci, drawn each time.")
    ] = 1.0
    seed: Annotated[int, Option(help="Of everything random.")] = 1
    save_every: Annotated[int, Option(help="Updates between saves.")] = 100
    validate_every: Annotated[int, Option(help="Updates between measurements.")] = 300
    validation_poems: Annotated[int, Option(help="Poems that are measured; 0 for none.")] = 400

    def __post_init__(self) -> None:
        for name in ("steps", "batch_tokens", "save_every", "validate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("warmup_steps", "validation_poems", "weight_decay", "seed"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        for name, most in SHARES.items():
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be in [0, {most:g}], got {getattr(self, name)}")
        if not 0 < self.beta2 < 1:
            raise ValueError(f"beta2 must be in (0, 1), got {self.beta2}")

    @property
    def draw(self) -> Draw:
        """What is drawn for each sequence."""
        return Draw(self.cue_share, self.title_after, self.keywords, self.shi_share)

    def model_config(self, vocabulary: Vocabulary) -> PoetryConfig:
        """Return the sizes of a model for a vocabulary."""
        return PoetryConfig(
            len(vocabulary),
            self.embedding_size,
            self.hidden_size,
            self.num_layers,
            self.dropout,
            self.skip_connections,
        )

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of update number step, counted from 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        falling = max(1.0, self.decay_share * (self.steps - self.warmup_steps))
        progress = max(0.0, 1 - (self.steps - step) / falling)
        left = 1 - progress if self.linear_decay else 0.5 * (1 + math.cos(math.pi * progress))
        return self.learning_rate * left
