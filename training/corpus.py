"""The corpus: upstream's archive -> cleaned, deduplicated, labelled poems in three splits.

Shi (诗) and ci (词) are kept apart: train.jsonl and ci-train.jsonl, and so on.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from model.replacement import replacing
from model.verse.proof import check
from training.archive import CorpusError, digest_of, read_archive, read_ci
from training.ci import ci_of
from training.cleaning import clean_author, clean_body, clean_title
from training.command import reporting
from training.corpus_poem import RHYMED, CorpusPoem
from training.download import download, origin_of
from training.splits import (
    MIN_SHARED_LINE,
    STOCK_LINE,
    Splits,
    divide,
    drop_leaks,
    find_clusters,
    uniform,
)

NEAR_DUPLICATE = 0.6  # share of its lines that a poem has in common with one kept
SHOWN = 20  # of the tunes

app = typer.Typer(help=__doc__, add_completion=False)


@dataclass
class Kind:
    """What became of the shi, or of the ci."""

    digest: str  # of the archive or the directory that they were read from
    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)  # for ci, their tunes
    eras: Counter[str] = field(default_factory=Counter)
    characters: int = 0
    clusters: int = 0
    largest_cluster: int = 0

    def count(self, poem: CorpusPoem) -> None:
        """Count a poem that is kept."""
        self.forms[poem.tune or str(poem.form or "other")] += 1
        self.eras[str(poem.era)] += 1
        self.characters += sum(map(len, poem.lines))


@dataclass
class Report:
    """What became of the poems.

    Args:
        commit: Upstream's, that they come from; empty for a corpus of one's own.
        verified: Whether every file is the one that upstream has at that commit.
        shi: Of 全唐诗 and 全宋诗.
        ci: None if there are none.
    """

    commit: str
    verified: bool
    shi: Kind
    ci: Kind | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it in JSON's types: the figures of the shi at the top, as before there were ci."""
        found = {"commit": self.commit, "verified": self.verified, **vars(self.shi)}
        if self.ci is None:
            return found
        # Checkpoints hold the report: the number of the tunes, not hundreds of names.
        ci = {name: value for name, value in vars(self.ci).items() if name != "forms"}
        return found | {"ci": ci | {"tunes": len(self.ci.forms)}}


class Kept:
    """The lines of poems that are kept, to find those that stand in another."""

    def __init__(self) -> None:
        self._homes: dict[str, list[int]] = {}
        self._count = 0

    def add(self, poem: CorpusPoem) -> bool:
        """Keep a poem, unless it shares most of its lines with one kept; return whether it is."""
        lines = set(poem.lines)
        shared = Counter(home for line in lines for home in self._homes.get(line, ()))
        most = max(shared.values(), default=0)
        if most and most >= NEAR_DUPLICATE * len(lines):
            return False
        for line in lines:
            home = self._homes.setdefault(line, [])
            if len(home) < STOCK_LINE:
                home.append(self._count)
        self._count += 1
        return True


def build(source: Path, ci_source: Path | None = None) -> tuple[Splits, Splits, Report]:
    """Clean, deduplicate and split the poems of upstream's archive or a directory of it.

    What becomes of a shi does not depend on the ci: where the two share lines the ci gives way.

    Args:
        source: Where shi are read, and ci.
        ci_source: Where ci are read instead.

    Returns:
        The splits of the shi and of the ci, and the report.

    Raises:
        CorpusError: If a source cannot be read.
    """
    commit, verified = origin_of(source)
    report, kept = Report(commit, verified, Kind(digest_of(source))), Kept()
    poems = _with_meter(_without_duplicates(_shi(source, report.shi), kept, report.shi))
    shi = _divide(poems, report.shi)
    report.shi.dropped["shares a stock line"] += drop_leaks(shi)
    report.shi.splits = _sizes(shi)

    own = ci_source or source
    counts = Kind(digest_of(own))
    ci = _divide(_without_duplicates(_ci(own, counts), kept, counts), counts)
    counts.dropped["shares a line with another split"] += drop_leaks(ci, shi, MIN_SHARED_LINE)
    counts.splits = _sizes(ci)
    report.ci = counts if counts.read else None
    return shi, ci, report


def _divide(poems: Sequence[CorpusPoem], counts: Kind) -> Splits:
    clusters = find_clusters(poems)
    sizes = Counter(clusters)
    counts.clusters, counts.largest_cluster = len(sizes), max(sizes.values(), default=0)
    return divide(poems, clusters)


def _sizes(splits: Splits) -> Counter[str]:
    return Counter({name: len(members) for name, members in splits.items()})


def _shi(source: Path, counts: Kind) -> Iterator[CorpusPoem]:
    for era, fields in read_archive(source):
        counts.read += 1
        try:
            paragraphs, reason = clean_body(fields["paragraphs"])
            author, title = clean_author(fields["author"]), clean_title(fields["title"])
        except (KeyError, TypeError) as error:
            raise CorpusError(
                f"poem {counts.read} has not upstream's author, title and paragraphs: {fields}"
            ) from error
        if reason:
            counts.dropped[reason] += 1
            continue
        yield CorpusPoem(author, title, paragraphs, era)


def _ci(source: Path, counts: Kind) -> Iterator[CorpusPoem]:
    for era, fields in read_ci(source):
        counts.read += 1
        try:
            poem, reason = ci_of(fields, era)
        except (KeyError, TypeError) as error:
            raise CorpusError(
                f"ci {counts.read} has not upstream's author, rhythmic and paragraphs: {fields}"
            ) from error
        if poem is None:
            counts.dropped[reason] += 1
            continue
        yield poem


def _without_duplicates(poems: Iterable[CorpusPoem], kept: Kept, counts: Kind) -> list[CorpusPoem]:
    """Keep of poems that share most of their lines the first and longest."""
    ordered = sorted(
        poems, key=lambda poem: (-len(poem.text), poem.text, poem.era or "", poem.author)
    )
    found = [poem for poem in ordered if kept.add(poem)]
    counts.dropped["stands in another poem"] += len(ordered) - len(found)
    for poem in found:
        counts.count(poem)
    return found


def _with_meter(poems: Sequence[CorpusPoem]) -> list[CorpusPoem]:
    """Return the poems with the meter that each keeps to, found on all cores."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        meters = pool.map(meter_of, (poem.lines for poem in poems), chunksize=2000)
        return [replace(poem, meter=meter) for poem, meter in zip(poems, meters, strict=True)]


def meter_of(lines: Sequence[str]) -> str:
    """Return what CorpusPoem.meter holds for a poem of these lines."""
    proof = check(lines, exact=True)
    if proof.regulated:
        return proof.line_types
    return RHYMED if proof.checks["押韵"].holds else ""


def write(shi: Splits, ci: Splits, report: Report, out: Path) -> None:
    """Write the splits as JSON lines and the report: where it stands, the splits are its own.

    Those of ci are ci-train.jsonl and so on; none is there afterwards if there are none.
    """
    out.mkdir(parents=True, exist_ok=True)
    report_file = out / "report.json"
    report_file.unlink(missing_ok=True)
    named = {**shi, **{f"ci-{name}": poems for name, poems in ci.items() if report.ci}}
    for stale in out.glob("ci-*.jsonl"):
        stale.unlink()
    for name, poems in named.items():
        with (
            replacing(out / f"{name}.jsonl") as partial,
            partial.open("w", encoding="utf-8") as file,
        ):
            # By hash, so that any first thousand poems are a fair sample.
            for poem in sorted(poems, key=lambda poem: (uniform(poem.text), poem.text)):
                file.write(json.dumps(asdict(poem), ensure_ascii=False) + "\n")
    text = json.dumps(report.to_dict(), ensure_ascii=False, indent=1)
    with replacing(report_file) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def show(report: Report, console: Console) -> None:
    """Print what was read, kept and dropped, and why."""
    console.print(_table("shi", report.shi))
    if report.ci:
        console.print(_table("ci", report.ci))


def _table(name: str, counts: Kind) -> Table:
    title = f"{counts.read:,} {name} read, {counts.characters:,} characters kept"
    table = Table("", name, title=title)
    groups = {"split": counts.splits, "dropped": counts.dropped, "era": counts.eras}
    for group, figures in {**groups, "form" if name == "shi" else "tune": counts.forms}.items():
        for each, count in figures.most_common(SHOWN):
            table.add_row(f"{group}: {each}", f"{count:,}")
    table.add_row("clusters", f"{counts.clusters:,}")
    table.add_row("largest cluster", f"{counts.largest_cluster:,}")
    return table


@app.command()
def main(
    source: Annotated[
        Path | None,
        typer.Option(
            envvar="YIN_CORPUS",
            help="An archive (.tar.gz, .tar.xz, .zip) of chinese-poetry, or a directory of it.",
        ),
    ] = None,
    ci_source: Annotated[
        Path | None, typer.Option(help="Where the ci are, if they are elsewhere.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the splits go.")] = Path("corpus"),
) -> None:
    """Prepare the corpus; without a source, download upstream's archive and verify it."""
    console = Console(stderr=True)
    with reporting(CorpusError, OSError):
        archive = source or download(out / "upstream", console)
        shi, ci, report = build(archive, ci_source)
        write(shi, ci, report, out)
    show(report, console)


if __name__ == "__main__":
    app()
