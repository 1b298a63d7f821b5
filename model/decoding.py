"""From logits to the next token: mask, temperature, top-k, top-p, draw; pure functions over rows.

Shapes
    B  rows, one a sequence      V  vocabulary

A draw inverts the cumulative distribution at one uniform number a row (model.sampling). What a mask
lets through is the last of the cumulated probabilities, so one pass gives the token and its weight.

Sources: top-k, Fan et al. (2018); top-p, Holtzman et al. (2020).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.sampling import BELOW_ONE, GOLDEN, SamplingParams, uniform

FORBIDDEN = -1e30  # a logit that no probability is left of; minus infinity takes longer
MIN_TEMPERATURE = 1e-6  # what is colder draws the same and would divide by zero
FAINT = -60.0  # nats: what is less is lost beside a probability of 1 in float32
MANY_ROWS = 8  # from here on arrays are faster than Python's own numbers


def forbid(logits: Tensor, allowed: Tensor, out: Tensor | None = None) -> Tensor:
    """Return logits (B, V), float32, out of reach wherever allowed (B, V) is False, in out."""
    # Adding is ten times faster than masked_fill, whose branches no processor can foresee.
    barred = torch.empty_like(logits) if out is None else out
    barred.copy_((~allowed).view(torch.uint8))
    return torch.add(logits, barred, alpha=FORBIDDEN, out=barred)


def temper(
    logits: Tensor,
    allowed: Tensor,
    temperatures: Sequence[float],
    scratch: tuple[Tensor | None, Tensor | None] = (None, None),
) -> tuple[Tensor, Tensor]:
    """Return the probabilities at each row's temperature of what its mask lets through.

    Args:
        logits: (B, V), float32.
        allowed: (B, V).
        temperatures: Of each row; 0 is taken for the coldest.
        scratch: Two tensors (B, V), the second of which is returned.

    Returns:
        Probabilities (B, V), zero where nothing may come, and in proportion elsewhere; and the log
        of the whole that the mask lets through, (B,), in nats.
    """
    factors = [[1 / max(temperature, MIN_TEMPERATURE)] for temperature in temperatures]
    scaled = torch.mul(logits, torch.tensor(factors, device=logits.device), out=scratch[0])
    probabilities = torch.softmax(scaled, -1, out=scratch[1])
    # The mask is spread to numbers first: to multiply mixed types takes twice as long.
    probabilities.mul_(scaled.copy_(allowed.view(torch.uint8)))
    log_shares = probabilities.sum(-1).log_()
    if log_shares.min() < FAINT:  # too little is left to be told apart in float32
        faint = (log_shares < FAINT).nonzero().squeeze(-1)
        scaled = logits[faint] * torch.tensor(factors, device=logits.device)[faint]
        masked = forbid(scaled, allowed[faint])
        probabilities[faint] = masked.softmax(-1)
        log_shares[faint] = masked.logsumexp(-1) - scaled.logsumexp(-1)
    return probabilities, log_shares


def draw(
    logits: Tensor,
    allowed: Tensor,
    params: Sequence[SamplingParams],
    positions: Sequence[int],
    scratch: tuple[Tensor | None, Tensor | None] = (None, None),
) -> tuple[Tensor, Tensor]:
    """Draw a token a row, of those that its mask allows.

    Args:
        logits: (B, V), float32.
        allowed: (B, V); a row that allows nothing draws a token of no meaning.
        params: How each row draws.
        positions: How many tokens each row's sequence has drawn before.
        scratch: Two tensors (B, V) to compute in: the system takes longer to give memory for
            another than a processor to fill it.

    Returns:
        Token ids, (B,), and the log of the probability at the row's temperature that its mask lets
        through, (B,), in nats.
    """
    temperatures = [p.temperature for p in params]
    probabilities, log_shares = temper(logits, allowed, temperatures, scratch)
    return pick(probabilities, params, positions, scratch[0]), log_shares


def pick(
    probabilities: Tensor,
    params: Sequence[SamplingParams],
    positions: Sequence[int],
    out: Tensor | None = None,
) -> Tensor:
    """Draw a token a row, (B,).

    Args:
        probabilities: (B, V), not negative, in proportion.
        params: How each row draws; its temperature counts no more, but 0 takes the likeliest.
        positions: How many tokens each row's sequence has drawn before.
        out: Where to compute, (B, V).
    """
    greedy = [row for row, p in enumerate(params) if p.temperature == 0]
    probabilities = keep_top_k(probabilities, [p.top_k for p in params])
    probabilities = keep_top_p(probabilities, [p.top_p for p in params])
    uniforms = find_uniforms([p.seed for p in params], positions).to(probabilities.device)
    likeliest = probabilities[greedy].argmax(-1) if greedy else None
    tokens = invert_cdf(probabilities, uniforms, out=out)
    if likeliest is not None:
        tokens[greedy] = likeliest
    return tokens


def find_uniforms(seeds: Sequence[int], positions: Sequence[int]) -> Tensor:
    """Return uniform() of each seed and position, (B,), float32."""
    if len(seeds) < MANY_ROWS:
        return torch.tensor([uniform(*each) for each in zip(seeds, positions, strict=True)])
    words = mix_words(np.array(seeds, dtype=np.uint64))
    words = mix_words(words ^ np.array(positions, dtype=np.uint64) * np.uint64(GOLDEN))
    return torch.from_numpy((words / 2.0**64 * BELOW_ONE).astype(np.float32))


def mix_words(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return mix() of each word."""
    words = words + np.uint64(GOLDEN)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def keep_top_k(probabilities: Tensor, top_ks: Sequence[int]) -> Tensor:
    """Return probabilities (B, V) with zero outside each row's k largest; 0 keeps a row."""
    rows = [row for row, k in enumerate(top_ks) if 0 < k < probabilities.shape[-1]]
    if not rows:
        return probabilities
    chosen = probabilities[rows]
    largest = chosen.topk(max(top_ks[row] for row in rows)).values
    last = torch.tensor([top_ks[row] - 1 for row in rows], device=chosen.device)
    least = largest.gather(-1, last[:, None])
    kept = probabilities.clone()
    kept[rows] = chosen.masked_fill(chosen < least, 0)
    return kept


def keep_top_p(probabilities: Tensor, top_ps: Sequence[float], first: int = 512) -> Tensor:
    """Return probabilities (B, V) with zero outside each row's likeliest; 1 keeps a row.

    The tokens kept are the fewest, likeliest first, that hold the share p of the row's whole; one
    at the least. Only the first likeliest of a row are sorted, and four times as many if it needs
    more.
    """
    rows = [row for row, p in enumerate(top_ps) if p < 1]
    if not rows:
        return probabilities
    likeliest, order = probabilities[rows].topk(min(first, probabilities.shape[-1]))
    shares = torch.tensor([top_ps[row] for row in rows], device=probabilities.device)
    shares *= probabilities[rows].sum(-1)
    before = likeliest.cumsum(-1) - likeliest
    outside = before >= shares[:, None]
    outside[:, 0] = False
    kept = probabilities.clone()
    kept[rows] = torch.zeros_like(kept[rows]).scatter(-1, order, likeliest * ~outside)
    if first < probabilities.shape[-1]:
        wide = [row for row, cut in zip(rows, outside[:, -1].tolist(), strict=True) if not cut]
        kept[wide] = keep_top_p(probabilities[wide], [top_ps[row] for row in wide], 4 * first)
    return kept


def invert_cdf(weights: Tensor, uniforms: Tensor, out: Tensor | None = None) -> Tensor:
    """Return for each row the first token whose cumulative weight exceeds uniform times the total.

    Args:
        weights: (B, V), not negative, not all zero; a token of weight zero is never returned.
        uniforms: (B,), in [0, 1].
        out: Where to compute, (B, V).
    """
    cumulative = torch.cumsum(weights, -1, out=out)
    totals = cumulative[:, -1:]
    # Rounding may bring the target up to the total: the last token with a weight takes it.
    targets = torch.minimum(uniforms[:, None] * totals, totals * (1 - 2.0**-23))
    return torch.searchsorted(cumulative, targets, right=True).squeeze(-1)
