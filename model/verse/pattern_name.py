"""The names of tone patterns: how line 1 begins, and whether it rhymes."""

import re
from typing import NamedTuple, Self

from model.verse.pattern import Template
from model.verse.rhymes import Tone

STARTS = {"仄起": Tone.ZE, "平起": Tone.PING}
ENDS = {"首句入韵": True, "首句不入韵": False}
_START_NAMES = {
    **STARTS,
    "zeqi": Tone.ZE,
    "pingqi": Tone.PING,
    "oblique": Tone.ZE,
    "level": Tone.PING,
}
_END_NAMES = {
    **ENDS,
    "入韵": True,
    "不入韵": False,
    "ruyun": True,
    "buruyun": False,
    "rhymed": True,
    "unrhymed": False,
}
PATTERN_NAMES = [
    *STARTS,
    *ENDS,
    *(f"{start}{end}" for start in STARTS for end in ENDS),
    *(
        name
        for starts, ends in (
            (("zeqi", "pingqi"), ("ruyun", "buruyun")),
            (("oblique", "level"), ("rhymed", "unrhymed")),
        )
        for name in (*starts, *ends, *(f"{start}-{end}" for start in starts for end in ends))
    ),
]


class Pattern(NamedTuple):
    """What is asked of line 1; None leaves it open.

    Args:
        start: The tone of its second character: 仄起, 平起.
        rhymed: Whether it rhymes: 首句入韵, 首句不入韵.
    """

    start: Tone | None
    rhymed: bool | None

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the pattern of a name.

        Raises:
            ValueError: If it is none; the message names what there is.
        """
        text = re.sub(r"[\s_-]", "", name.strip().lower().replace("韻", "韵"))
        for start, tone in (*_START_NAMES.items(), ("", None)):
            rest = text.removeprefix(start)
            if text.startswith(start) and (tone or rest) and rest in ("", *_END_NAMES):
                return cls(tone, _END_NAMES.get(rest))
        raise ValueError(
            "must be 仄起 or 平起, 首句入韵 or 首句不入韵, or both, such as 仄起首句入韵 "
            f"(zeqi-ruyun, oblique-rhymed), not {name!r}"
        )

    def fits(self, template: Template) -> bool:
        """Return whether a template runs so."""
        start = Tone(template.name[0])
        return self.start in (None, start) and self.rhymed in (None, template.line_types[0].rhymed)

    @property
    def name(self) -> str:
        """The name in Chinese."""
        start = next((name for name, tone in STARTS.items() if tone is self.start), "")
        return start + next((name for name, rhymed in ENDS.items() if rhymed is self.rhymed), "")
