"""What each couplet of a poem is about, in a word: its rarest.

A word is a pair of neighbouring characters that comes often, and much oftener than its characters
would meet by chance. Of a couplet's words the one with the greatest inverse frequency stands for
it; a couplet without a word has no keyword.

Sources: keywords by rarity, Spärck Jones (1972); that neighbours which attract each other are
words, Church & Hanks (1990); poems planned by a keyword a line, Wang et al. (2016).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.vocabulary import KEYWORD, Vocabulary
from training.batch import Ints
from training.piece import Piece

WORD_COUNT = 100  # how often a word comes, at least
WORD_BITS = 3.0  # how much oftener than by chance, at least: log2
STOPS = "。？！；"  # end a couplet

Floats = NDArray[np.float64]


def with_keywords(pieces: Sequence[Piece], vocabulary: Vocabulary) -> list[Piece]:
    """Return pieces whose headers have keywords, as their last field."""
    bodies = np.fromiter((token for piece in pieces for token in piece.body), dtype=np.int64)
    found: list[list[int]] = [[] for _ in pieces]
    if len(bodies) > 1:
        starts = np.cumsum([0, *(len(piece.body) for piece in pieces[:-1])])
        keyword_id = vocabulary.tokens.index(KEYWORD)
        for position in _keyword_positions(bodies, vocabulary):
            piece = int(np.searchsorted(starts, position, side="right")) - 1
            found[piece] += [keyword_id, *bodies[position : position + 2].tolist()]
    return [
        piece._replace(header=(*piece.header[:-1], keywords))
        for piece, keywords in zip(pieces, found, strict=True)
    ]


def _keyword_positions(bodies: Ints, vocabulary: Vocabulary) -> Ints:
    """Return where the keywords are, one for each couplet that has a word."""
    is_han = bodies >= vocabulary.han_ids.start
    at = np.flatnonzero(is_han[:-1] & is_han[1:])  # of pairs, those of the same line
    if not len(at):
        return at
    rarity = _rarity(bodies, at, len(vocabulary))
    number = np.cumsum(np.isin(bodies, [*vocabulary.encode(STOPS), vocabulary.eos_id]))[at]
    first = np.flatnonzero(np.diff(number, prepend=-1))
    rarest = np.repeat(np.maximum.reduceat(rarity, first), np.diff(first, append=len(at)))
    chosen = np.flatnonzero((rarity == rarest) & (rarity > 0))
    _, one = np.unique(number[chosen], return_index=True)
    found: Ints = at[chosen[one]]
    return found


def _rarity(bodies: Ints, at: Ints, vocab_size: int) -> Floats:
    """Return log2 of how rare the pair at each position is; 0 if it is no word."""
    pairs, own, counts = np.unique(
        bodies[at] * vocab_size + bodies[at + 1], return_inverse=True, return_counts=True
    )
    alone = np.bincount(bodies, minlength=vocab_size)
    chance = alone[pairs // vocab_size] / len(bodies) * alone[pairs % vocab_size]
    is_word = (counts >= WORD_COUNT) & (np.log2(counts / chance) >= WORD_BITS)
    rarity: Floats = np.where(is_word, np.log2(len(bodies) / counts), 0.0)[own]
    return rarity
