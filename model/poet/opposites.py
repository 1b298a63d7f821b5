"""The vectors by which the engine pairs tokens, in the order of a vocabulary."""

import torch
from torch import Tensor

from model.verse.parallels import Parallels
from model.vocabulary import Vocabulary


def opposites(vocabulary: Vocabulary, parallels: Parallels) -> Tensor:
    """Return the vector of each token that leads, (V, D); zeros for those that have none."""
    vectors = torch.zeros(len(vocabulary), parallels.dimensions)
    for token in vocabulary.han_ids:
        vector = parallels.leading_vector(vocabulary.tokens[token])
        if vector:
            vectors[token] = torch.tensor(list(vector), dtype=torch.float32)
    return vectors
