"""What sequences lean to beside what the model expects: numbers that are added to the logits.

A sequence may lean to certain tokens all along, and to those that go with the token that the next
one stands opposite to.

    l' = l + lean + s e_p . e / 127^2        e_p the vector of the opposite token, e of each

The vectors are whole numbers, and no product of two exceeds 2^24: float32 adds them up without an
error in whatever order, so a row does not depend on its neighbours.
"""

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor

from model.guide import PairingGuide
from model.particle import Particle

UNIT = 127  # the length of a vector


class Leanings:
    """Adds what sequences lean to.

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
            if largest >= 2**24 or not torch.equal(self._vectors, self._vectors.round()):
                raise ValueError("expected vectors of whole numbers, no square of one above 2^24")

    def add(self, logits: Tensor, particles: Sequence[Particle]) -> Tensor:
        """Return logits (P, V) with what the particles' sequences lean to; unchanged if nothing."""
        leans = {
            n: each.sequence.lean
            for n, each in enumerate(particles)
            if each.sequence.lean is not None
        }
        opposites = {n: token for n, token in self._opposites(particles) if token}
        if not leans and not opposites:
            return logits
        leaned = logits.clone()
        if leans:
            leaned[[*leans]] += torch.stack([*leans.values()]).to(self._device)
        if opposites and self._vectors is not None:
            strengths = torch.tensor([particles[n].sequence.pairing for n in opposites])
            strengths = strengths.to(self._device)[:, None] / UNIT**2
            products = self._vectors[[*opposites.values()]] @ self._vectors.T  # (N, V), exact
            leaned[[*opposites]] += products * strengths
        return leaned

    @staticmethod
    def _opposites(particles: Sequence[Particle]) -> Iterable[tuple[int, int]]:
        """Yield the number of each particle that pairs tokens, and what its next one faces."""
        for n, each in enumerate(particles):
            if each.sequence.pairing:
                yield n, cast("PairingGuide", each.guide).opposite
