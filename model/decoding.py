"""From logits to the next token: mask, temperature, top-k, top-p, draw; pure functions over rows.

Shapes
    B  rows, one a sequence      V  vocabulary

A draw inverts the cumulative distribution at one uniform number a row (model.sampling).

Sources: top-k, Fan et al. (2018); top-p, Holtzman et al. (2020).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.sampling import SamplingParams, uniform

FORBIDDEN = -1e30  # a logit that no probability is left of; minus infinity takes longer
MIN_TEMPERATURE = 1e-6  # what is colder draws the same and would divide by zero


def forbid(logits: Tensor, allowed: Tensor) -> Tensor:
    """Return logits (B, V), float32, out of reach wherever allowed (B, V) is False."""
    # Adding is ten times faster than masked_fill, whose branches no processor can foresee.
    return torch.add(logits, (~allowed).view(torch.uint8), alpha=FORBIDDEN)


def is_forbidden(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return for each row whether its token (B,) was forbidden in logits (B, V)."""
    return logits.gather(-1, tokens[:, None]).squeeze(-1) <= FORBIDDEN / 2


def log_share(logits: Tensor, masked: Tensor, temperatures: Sequence[float]) -> Tensor:
    """Return the log of the probability that a mask lets through, (B,), in nats.

    Args:
        logits: (B, V), float32, before forbid().
        masked: (B, V), after it.
        temperatures: Of each row's draws.
    """
    colds = [max(temperature, MIN_TEMPERATURE) for temperature in temperatures]
    scale = torch.tensor(colds, device=logits.device)[:, None]
    return (masked / scale).logsumexp(-1) - (logits / scale).logsumexp(-1)


def draw(logits: Tensor, params: Sequence[SamplingParams], positions: Sequence[int]) -> Tensor:
    """Draw a token a row.

    Args:
        logits: (B, V), float32; from forbid() if a token must not come.
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
    last = torch.tensor([top_ks[row] - 1 for row in rows], device=logits.device)
    least = largest.gather(-1, last[:, None])
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
