"""How one sequence draws: its parameters, and the uniform number at each position of its stream.

A uniform is a function of (seed, position) and of nothing else, so a sequence draws the same
whatever its neighbours draw. This module needs no PyTorch.

Sources: counter-based random numbers, Salmon et al. (2011); the mixing function, splitmix64, Steele
et al. (2014).
"""

from dataclasses import dataclass
from math import isfinite

MAX_TEMPERATURE = 2.0
MAX_SEED = 2**63 - 1
WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
BELOW_ONE = 1 - 2.0**-24  # which float32 does not round up to 1


@dataclass(frozen=True)
class SamplingParams:
    """How one sequence draws.

    Args:
        temperature: 0 takes the likeliest token, 1 draws from the model's distribution.
        top_k: Draw among the k likeliest; 0 among all.
        top_p: Draw among the fewest tokens that hold this share of the probability.
        seed: Decides every draw.

    Raises:
        ValueError: If a value is out of range.
    """

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (isfinite(self.temperature) and 0 <= self.temperature <= MAX_TEMPERATURE):
            raise ValueError(f"temperature must be 0 to {MAX_TEMPERATURE}, got {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be 0 (off) or more, got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"seed must be 0 to {MAX_SEED}, got {self.seed}")


def uniform(seed: int, position: int) -> float:
    """Return the number in [0, 1) that belongs to a position in a seed's stream."""
    return mix(mix(seed) ^ (position * GOLDEN & WORD)) / 2.0**64 * BELOW_ONE


def mix(word: int) -> int:
    """Scramble 64 bits: splitmix64's finalizer after one increment."""
    word = (word + GOLDEN) & WORD
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & WORD
    return word ^ (word >> 31)
