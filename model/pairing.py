"""Pairs: what a token leans to where it stands opposite to another, beside what the model expects.

    l' = l + s e_o . e / 127^2       e_o the vector of the opposite token, e of each that may come

The vectors are whole numbers, and no product of two exceeds 2^24: float32 adds them up without an
error in whatever order, so a row does not depend on its neighbours.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from model.guide import PairingGuide
from model.particle import Particle

UNIT = 127  # the length of a vector


class Pairing:
    """Lets tokens lean to those that they stand opposite to.

    Args:
        vectors: Of each token, (V, D), whole numbers, zeros for those that go with none; None if
            no sequence pairs tokens.
        device: Where the logits are.

    Raises:
        ValueError: If products of the vectors could be inexact.
    """

    def __init__(self, vectors: Tensor | None, device: torch.device) -> None:
        self._vectors = None if vectors is None else vectors.float().to(device)
        self._device = device
        if self._vectors is not None:
            largest = float(self._vectors.square().sum(-1).max())
            if largest > 2**24 or not torch.equal(self._vectors, self._vectors.round()):
                raise ValueError("expected vectors of whole numbers, no square of one above 2^24")

    def add(self, logits: Tensor, particles: Sequence[Particle]) -> Tensor:
        """Return logits (P, V) with what pairs add; the same ones where nothing is opposite."""
        opposites = {
            n: cast("PairingGuide", each.guide).opposite
            for n, each in enumerate(particles)
            if each.sequence.pairing
        }
        rows = [n for n, token in opposites.items() if token]
        if not rows or self._vectors is None:
            return logits
        strengths = torch.tensor([particles[n].sequence.pairing for n in rows]).to(self._device)
        products = self._vectors[[opposites[n] for n in rows]] @ self._vectors.T  # (N, V), exact
        paired = logits.clone()
        paired[rows] += products * (strengths[:, None] / UNIT**2)
        return paired
