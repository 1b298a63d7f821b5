"""Resampling: which particles of a sequence go on, drawn by their weights.

Source: systematic resampling, Kitagawa (1996).
"""

from collections.abc import Sequence as SequenceOf
from itertools import accumulate, pairwise
from math import ceil, exp


def resample(log_weights: SequenceOf[float], number: float) -> list[int]:
    """Return which particle each is to become.

    Particle k is drawn as often as its share of the weights asks for, to the next whole number up
    or down. One that is drawn at all stays itself, so that few states have to be copied.

    Args:
        log_weights: K, at least one of them above minus infinity.
        number: In [0, 1), decides.
    """
    weights = _weights(log_weights)
    unit = sum(weights) / len(weights)
    # k is drawn once for each whole n with start <= (n + number) * unit < start + weights[k].
    bounds = [ceil(each / unit - number) for each in accumulate(weights[:-1])]
    copies = [high - low for low, high in pairwise([0, *bounds, len(weights)])]
    spare = [k for k, drawn in enumerate(copies) for _ in range(drawn - 1)]
    return [k if drawn else spare.pop() for k, drawn in enumerate(copies)]


def pick(log_weights: SequenceOf[float], number: float) -> int:
    """Return one particle, drawn by its weight.

    Args:
        log_weights: K, at least one of them above minus infinity.
        number: In [0, 1), decides.
    """
    weights = _weights(log_weights)
    target = number * sum(weights)
    bounds = enumerate(accumulate(weights))
    return next((k for k, bound in bounds if bound > target), weights.index(max(weights)))


def effective_number(log_weights: SequenceOf[float]) -> float:
    """Return how many particles of equal weight would be as good: (sum w)^2 / sum w^2.

    Args:
        log_weights: K, at least one of them above minus infinity.

    Source: Kong et al. (1994).
    """
    weights = _weights(log_weights)
    return float(sum(weights) ** 2 / sum(weight**2 for weight in weights))


def _weights(log_weights: SequenceOf[float]) -> list[float]:
    """Return weights, the highest of them 1."""
    highest = max(log_weights)
    return [exp(each - highest) for each in log_weights]
