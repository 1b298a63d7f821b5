"""The language that a caller is answered in: English, or Chinese where it is preferred."""

from enum import StrEnum


class Language(StrEnum):
    """A language of refusals and notes."""

    ENGLISH = "en"
    CHINESE = "zh"

    @classmethod
    def preferred(cls, accepted: str) -> "Language":
        """Return the language that an Accept-Language header likes best; English if it says none.

        Source: RFC 9110, section 12.5.4.
        """
        weights = dict.fromkeys(cls, 0.0)
        for each in accepted.lower().split(","):
            name, _, weight = each.partition(";")
            primary = name.strip().partition("-")[0]
            if primary in weights:
                language = cls(primary)
                weights[language] = max(weights[language], _quality(weight))
        chinese = weights[cls.CHINESE] > weights[cls.ENGLISH]
        first = accepted.lower().strip().startswith("zh")
        tied = weights[cls.CHINESE] == weights[cls.ENGLISH] > 0
        return cls.CHINESE if chinese or (tied and first) else cls.ENGLISH


def _quality(weight: str) -> float:
    """Return the number of q=0.8; 1 where there is none."""
    name, _, number = weight.strip().partition("=")
    try:
        return float(number) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
