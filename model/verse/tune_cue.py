"""What a tune asks of each token; see cue.py."""

from functools import lru_cache

from model.verse.cue import Cue
from model.verse.rhymes import Tone
from model.verse.tune import TuneLine, TuneVariant

KINDS = {Tone.PING.value: Cue.PING, Tone.ZE.value: Cue.ZE}


@lru_cache(512)
def tune_cues(variant: TuneVariant, *, tones: bool = True, rhymes: bool = True) -> tuple[Cue, ...]:
    """Return the cues of a ci, those of pauses and marks included (FREE).

    Args:
        variant: How it runs.
        tones: Whether its tones are asked for.
        rhymes: Whether its rhymes are.
    """
    cues = list[Cue]()
    for line in variant.lines:
        own = _line_cues(line) if tones else [Cue.FREE] * line.size
        if rhymes and line.rhyme:
            own[-1] = Cue.RHYME
        for number, cue in enumerate(own, 1):
            cues.append(cue)
            if number in line.pauses:
                cues.append(Cue.FREE)
        cues.append(Cue.FREE)
    return tuple(cues)


def _line_cues(line: TuneLine) -> list[Cue]:
    return [KINDS.get(tone, Cue.EITHER) for tone in line.pattern]
