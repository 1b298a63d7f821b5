"""How poems keep the rules, and how they sound: what takes a moment for each text."""

from collections.abc import Iterable

from app.answers import MeterOut, PoemOut
from model.verse.judge import judge


def judged(text: str, *, pinyin: bool = False) -> MeterOut:
    """Return how a poem keeps the rules, perhaps with its pinyin.

    Raises:
        ValueError: If it is no poem.
    """
    proof = judge(text)
    found = MeterOut.model_validate(proof.to_dict())
    return found.with_pinyin(proof.lines) if pinyin else found


def spoken(poems: Iterable[PoemOut]) -> list[PoemOut]:
    """Return poems with their pinyin."""
    return [poem.with_pinyin() for poem in poems]
