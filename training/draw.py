"""What is drawn anew for each sequence in each epoch: which of its parts the model is given."""

from dataclasses import dataclass

KEEP_HEADER = 0.75  # how often a poem has a header at all
KEEP_FIELD = 0.6  # how often, then, each field stays
KEEP_KEYWORD = 0.7  # how often, then, each of the keywords stays
MAX_TITLE_AFTER = 1 - KEEP_HEADER * KEEP_FIELD


@dataclass(frozen=True)
class Draw:
    """How often the parts of a sequence come; shares are in [0, 1].

    Args:
        cues: Share of the sequences with their cues.
        title_after: Share of the titled poems whose title comes after the body. They are drawn
            from those that have none in the header, where it would only be copied.
        keywords: Whether headers may have keywords, as they have other fields.
        shi: Share of the shi that an epoch has, beside all ci.
    """

    cues: float = 0.5
    title_after: float = 0.0
    keywords: bool = False
    shi: float = 1.0
