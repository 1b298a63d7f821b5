"""From logits to the next token: mask, temperature, top-k, top-p, draw; pure functions over rows.

Shapes
    B  rows, one a sequence      V  vocabulary

A draw inverts the cumulative distribution at one uniform number a row. The uniform is a function of
(seed, position) and of nothing else, so a sequence draws the same whatever its neighbours draw.

Sources: top-k, Fan et al. (2018); top-p, Holtzman et al. (2020); counter-based random numbers,
Salmon et al. (2011); the mixing function, splitmix64, Steele et al. (2014).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor

FORBIDDEN = -1e30  # a logit that no probability is left of; minus infinity takes longer
MIN_TEMPERATURE = 1e-6  # what is colder draws the same and would divide by zero
MAX_TEMPERATURE = 2.0
MAX_SEED = 2**63 - 1
WORD = 2**64 - 1


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
    """Return the number in [0, 1) that belongs to a place in a seed's stream."""
    return mix(mix(seed) ^ (position * 0x9E3779B97F4A7C15 & WORD)) / 2.0**64 * (1 - 2.0**-24)


def mix(word: int) -> int:
    """Scramble 64 bits: splitmix64's finalizer after one increment."""
    word = (word + 0x9E3779B97F4A7C15) & WORD
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & WORD
    return word ^ (word >> 31)


def forbid(logits: Tensor, allowed: Tensor) -> Tensor:
    """Return logits (B, V), float32, out of reach wherever allowed (B, V) is False."""
    # Adding is ten times faster than masked_fill, whose branches no processor can foresee.
    return torch.add(logits, (~allowed).view(torch.uint8), alpha=FORBIDDEN)


def is_forbidden(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return for each row whether its token (B,) was forbidden in logits (B, V)."""
    return logits.gather(-1, tokens[:, None]).squeeze(-1) <= FORBIDDEN / 2


def draw(logits: Tensor, params: Sequence[SamplingParams], positions: Sequence[int]) -> Tensor:
    """Draw a token a row.

    Args:
        logits: (B, V), float32; behind forbid() if a token must not come.
        params: How each row draws.
        positions: How many tokens each row's sequence has drawn before.

    Returns:
        Token ids, (B,).
    """
    temperatures = [max(p.temperature, MIN_TEMPERATURE) for p in params]
    scaled = logits / torch.tensor(temperatures, device=logits.device)[:, None]
    scaled = keep_top_k(scaled, [p.top_k for p in params])
    probabilities = keep_top_p(scaled.softmax(-1), [p.top_p for p in params])
    uniforms = [uniform(p.seed, at) for p, at in zip(params, positions, strict=True)]
    tokens = invert_cdf(probabilities, torch.tensor(uniforms, device=logits.device))
    greedy = [row for row, p in enumerate(params) if p.temperature == 0]
    if greedy:
        tokens[greedy] = logits[greedy].argmax(-1)
    return tokens


def keep_top_k(logits: Tensor, top_ks: Sequence[int]) -> Tensor:
    """Return logits (B, V) with minus infinity outside each row's k largest; 0 keeps a row."""
    rows = [row for row, k in enumerate(top_ks) if 0 < k < logits.shape[-1]]
    if not rows:
        return logits
    largest = logits[rows].topk(max(top_ks[row] for row in rows)).values
    places = torch.tensor([top_ks[row] - 1 for row in rows], device=logits.device)
    least = largest.gather(-1, places[:, None])
    kept = logits.clone()
    kept[rows] = logits[rows].masked_fill(logits[rows] < least, -torch.inf)
    return kept


def keep_top_p(probabilities: Tensor, top_ps: Sequence[float], first: int = 512) -> Tensor:
    """Return probabilities (B, V) with zero outside each row's likeliest; 1 keeps a row.

    The tokens kept are the fewest, likeliest first, that hold the share p; one at the least.
    Only the first likeliest of a row are sorted, and four times as many if it needs more.
    """
    rows = [row for row, p in enumerate(top_ps) if p < 1]
    if not rows:
        return probabilities
    likeliest, order = probabilities[rows].topk(min(first, probabilities.shape[-1]))
    shares = torch.tensor([top_ps[row] for row in rows], device=probabilities.device)
    before = likeliest.cumsum(-1) - likeliest
    outside = before >= shares[:, None]
    outside[:, 0] = False
    kept = probabilities.clone()
    kept[rows] = torch.zeros_like(kept[rows]).scatter(-1, order, likeliest * ~outside)
    if first < probabilities.shape[-1]:
        wide = [row for row, cut in zip(rows, outside[:, -1].tolist(), strict=True) if not cut]
        kept[wide] = keep_top_p(probabilities[wide], [top_ps[row] for row in wide], 4 * first)
    return kept


def invert_cdf(weights: Tensor, uniforms: Tensor) -> Tensor:
    """Return for each row the first token whose cumulative weight exceeds uniform times the total.

    Args:
        weights: (B, V), not negative, not all zero; a token of weight zero is never returned.
        uniforms: (B,), in [0, 1).
    """
    cumulative = weights.cumsum(-1)
    totals = cumulative[:, -1:].contiguous()
    targets = uniforms.to(weights.dtype)[:, None] * totals
    tokens = torch.searchsorted(cumulative, targets, right=True)
    # Rounding may bring the target up to the total: the last token with a weight takes it.
    last = torch.searchsorted(cumulative, totals)
    return torch.minimum(tokens, last).squeeze(-1)
