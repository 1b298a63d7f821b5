"""How a run of training is configured: the model's sizes, and how it is trained."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from model.poetry_model import PoetryConfig
from model.vocabulary import Vocabulary

READERS: dict[type[Any], Callable[[str], Any]] = {
    int: int,
    float: float,
    bool: lambda text: {"true": True, "false": False}[text.lower()],
}


@dataclass(frozen=True)
class TrainConfig:
    """One run: the model's sizes and how it is trained.

    Args:
        steps: Updates of the weights.
        batch_tokens: Tokens an update, padding included.
        learning_rate: The highest, reached after warmup_steps.
        decay_share: Over which share of the steps after the warm-up, the last ones, the learning
            rate falls to zero, as a cosine. Below 1 a run can be made longer before it falls.
        average_share: Over which share of the updates, about the last ones, weights are averaged
            to be measured and exported; 0 for the last weights alone.
        max_grad_norm: Where the gradient's norm is clipped.
        save_every: Steps between saves of the training state.
        validate_every: Steps between measurements of validation bits.
        validation_poems: How many poems those take.

    Raises:
        ValueError: If a field is out of range.
    """

    steps: int = 2500
    batch_tokens: int = 4096
    learning_rate: float = 3e-3
    warmup_steps: int = 100
    decay_share: float = 0.2
    average_share: float = 0.1
    weight_decay: float = 0.02
    max_grad_norm: float = 1.0
    embedding_size: int = 384
    hidden_size: int = 768
    num_layers: int = 2
    skip_connections: bool = True
    dropout: float = 0.0
    seed: int = 1
    save_every: int = 100
    validate_every: int = 300
    validation_poems: int = 400

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
        for name in ("decay_share", "average_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")

    @classmethod
    def parse(cls, options: Sequence[str]) -> Self:
        """Return the configuration with fields set by name=value.

        Raises:
            ValueError: If a field is unknown, or its value of the wrong kind or out of range.
        """
        kinds: dict[str, type[Any]] = {field.name: type(field.default) for field in fields(cls)}
        values: dict[str, Any] = {}
        for option in options:
            name, _, value = option.partition("=")
            if name not in kinds:
                raise ValueError(f"no option is called {name!r}; there are {', '.join(kinds)}")
            try:
                values[name] = READERS[kinds[name]](value)
            except (KeyError, ValueError):
                kind = "true or false" if kinds[name] is bool else f"of type {kinds[name].__name__}"
                raise ValueError(f"{name} must be {kind}, got {value!r}") from None
        return cls(**values)

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
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
