"""Tells people's poems from ours: a logistic regression, and how often it is right about a pair.

    P(people | x) = 1 / (1 + exp(-(w . x + b)))

Each pair is a person's poem and ours to the same title. The regression is fitted on nine tenths of
the pairs and judges the last, ten times over, so it has seen nothing of what it judges.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.splits import uniform

BUCKETS = 1 << 12  # that characters and pairs of neighbours are hashed into
FOLDS = 10
STEPS, DECAY = 200, 1e-2

Matrix = NDArray[np.float64]


def hashed_runs(texts: Sequence[str], buckets: int = BUCKETS) -> Matrix:
    """Return which characters and pairs of neighbours texts have, (N, buckets), of length 1."""
    found = np.zeros((len(texts), buckets))
    for row, text in enumerate(texts):
        for size in (1, 2):
            for at in range(len(text) - size + 1):
                found[row, int(uniform(text[at : at + size]) * buckets)] = 1
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    unit: Matrix = found / np.maximum(norms, 1e-9)
    return unit


def fit(features: Matrix, people: NDArray[np.bool_], decay: float = DECAY) -> tuple[Matrix, float]:
    """Return the weights w (F,) and b of a regression.

    Args:
        features: (N, F), of about equal size.
        people: Which of them are people's, (N,).
        decay: Times |w|^2 / 2, added to the mean cost of a poem.
    """
    x, y = torch.tensor(features), torch.tensor(people, dtype=torch.float64)
    weights = torch.zeros(x.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        logits = x @ weights[:-1] + weights[-1]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y)
        loss = loss + decay / 2 * weights[:-1].square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    found = weights.detach().numpy()
    return found[:-1], float(found[-1])


def standardised(features: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Return features (N, F) of mean 0 and deviation 1, and what they had: (F,) each."""
    mean, deviation = features.mean(0), np.maximum(features.std(0), 1e-9)
    return (features - mean) / deviation, mean, deviation


def auc_of_pairs(people: Matrix, ours: Matrix) -> float:
    """Return the share of all pairs, of a person's poem and ours, that a regression tells apart.

    Args:
        people: (N, F), people's poems.
        ours: The same of ours, to the same titles in the same order.
    """
    scores = np.zeros((2, len(people)))
    for fold in range(FOLDS):
        held = np.arange(len(people)) % FOLDS == fold
        known = np.concatenate([people[~held], ours[~held]])
        label = np.arange(len(known)) < (~held).sum()
        weights, bias = fit(known, label)
        scores[0, held], scores[1, held] = (
            people[held] @ weights + bias,
            ours[held] @ weights + bias,
        )
    return area(scores[0], scores[1])


def area(higher: Matrix, lower: Matrix) -> float:
    """Return the area under the curve: how often one of higher is above one of lower."""
    above = (higher[:, None] > lower[None]).mean() + (higher[:, None] == lower[None]).mean() / 2
    return float(above)
