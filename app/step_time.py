"""Step time: how long a step of the engine takes, by how many sequences run and how they draw.

    seconds = (base(rows) + the draws of all rows) * correction

The base and the draws are measured at start, the correction follows the steps that are taken. One
step that took unusually long, because the whole process was paused, says little of the next; and
while nothing runs, the correction fades.
"""

import math
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from statistics import median
from typing import Self

from model.engine import Engine
from model.sampling import SamplingParams
from model.sequence import Sequence as TokenSequence

FIRST_GUESS_S = 0.01  # of a step, where none was measured
SMOOTHING = 0.05  # weight of the newest step in the correction
OUTLIER = 4.0  # times the median of recent steps: a step counts no more
RECENT = 32  # steps
HALF_LIFE_S = 10.0  # of the correction while nothing runs
NARROW = 512  # tokens: drawing among so many sorts no more (model.decoding)
ROWS_DRAWING = 16  # while the cost of a draw is measured
WARM_UP, MEASURED = 4, 3  # steps
PATIENCE_S = 0.5  # with the steps of one measurement, after which the start goes on

Prepare = Callable[[int, SamplingParams], Sequence[TokenSequence]]


class Draw(Enum):
    """How much a draw has to sort."""

    PLAIN = SamplingParams()
    NARROW = SamplingParams(top_k=50, top_p=0.9)
    WIDE = SamplingParams(temperature=2.0, top_k=7000, top_p=0.999)


def draw_of(params: SamplingParams) -> Draw:
    """Return what a draw with these parameters costs at most."""
    if params.top_k == 0 and params.top_p == 1:
        return Draw.PLAIN
    few = 0 < params.top_k <= NARROW
    likely = params.top_k == 0 and params.top_p <= 0.95 and params.temperature <= 1
    return Draw.NARROW if few or likely else Draw.WIDE


class StepTime:
    """Reckons how long steps take.

    Args:
        base: Seconds of a step by its number of rows, at least one; between them it is linear.
        draws: Seconds that each kind of draw adds for a row.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        base: Mapping[int, float] | None = None,
        draws: Mapping[Draw, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        points = sorted((base or {1: FIRST_GUESS_S}).items())
        self._base = [interpolate(points, rows) for rows in range(points[-1][0] + 1)]
        self._draws = {Draw.PLAIN: 0.0, **(draws or {})}
        self._clock = clock
        self._ratios = deque([1.0], maxlen=RECENT)  # of what was taken to what was reckoned
        self._correction, self._corrected_at = 1.0, clock()

    @classmethod
    def measure(cls, engine: Engine, prepare: Prepare) -> Self:
        """Return what an idle engine takes for sequences like those that it will run.

        Args:
            engine: Is idle again afterwards.
            prepare: Returns a number of long sequences that draw in a certain way.
        """
        slots = engine.num_slots
        sizes = sorted({1, max(1, slots // 4), slots})
        base = {rows: measure_step(engine, prepare(rows, Draw.PLAIN.value)) for rows in sizes}
        reckoned, rows, draws = cls(base), min(slots, ROWS_DRAWING), {}
        for draw in (Draw.NARROW, Draw.WIDE):
            step_s = measure_step(engine, prepare(rows, draw.value))
            draws[draw] = max(0.0, step_s - reckoned.base_s(rows)) / rows
        return cls(base, draws)

    def base_s(self, rows: int) -> float:
        """Return the seconds of a step of so many rows, without what their draws add."""
        return self._base[min(rows, len(self._base) - 1)]

    def draw_s(self, params: SamplingParams) -> float:
        """Return the seconds that a row's draw adds to a step."""
        return self._draws.get(draw_of(params), 0.0)

    def predict(self, rows: int, draws_s: float = 0.0) -> float:
        """Return the seconds of a step of so many rows, whose draws add draws_s."""
        return (self.base_s(rows) + draws_s) * self.correction

    @property
    def correction(self) -> float:
        """What steps take now, compared with what was measured at start."""
        idle_s = self._clock() - self._corrected_at
        return 1 + (self._correction - 1) * math.exp2(-idle_s / HALF_LIFE_S)

    def observe(self, rows: int, draws_s: float, seconds: float) -> None:
        """Take a step that was taken into account."""
        ratio = seconds / (self.base_s(rows) + draws_s)
        self._ratios.append(min(ratio, OUTLIER * median(self._ratios)))
        # The correction of before the step: while it ran, nothing was idle.
        self._correction += SMOOTHING * (self._ratios[-1] - self._correction)
        self._corrected_at = self._clock()


def interpolate(points: Sequence[tuple[int, float]], x: int) -> float:
    """Return y at x, linear between sorted points (x, y), and constant before the first."""
    at = bisect_left(points, (x, 0.0))
    if at == 0:
        return points[0][1]
    (x0, y0), (x1, y1) = points[at - 1 : at + 1]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def measure_step(engine: Engine, sequences: Sequence[TokenSequence]) -> float:
    """Return the seconds of a step of these sequences; they are cancelled at the end."""
    for sequence in sequences:
        engine.add(sequence)
    times, end = list[float](), time.perf_counter() + PATIENCE_S
    while len(times) < WARM_UP + MEASURED and (not times or time.perf_counter() < end):
        start = time.perf_counter()
        engine.step()
        times.append(time.perf_counter() - start)
    for sequence in sequences:
        engine.cancel(sequence)
    return median(times[-MEASURED:])
