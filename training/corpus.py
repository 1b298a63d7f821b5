"""The corpus: upstream's archive -> cleaned, deduplicated, labelled poems in three splits.

Poems that share a line form a cluster, and a cluster goes to one split as a whole: a line of the
validation or test poems never stands in the training poems. The split follows from the content
alone, not from any order.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from model.replacement import replacing
from model.verse.proof import check
from training.archive import CorpusError, digest_of, read_archive
from training.cleaning import clean_author, clean_body, clean_title
from training.command import reporting
from training.corpus_poem import RHYMED, CorpusPoem
from training.download import download, origin_of

SPLITS = ("train", "validation", "test")
HELD_OUT_SHARE = 0.01  # of the poems, for each of validation and test
MIN_SHARED_LINE = 5  # characters of a line that makes two poems one cluster
STOCK_LINE = 40  # a line in more poems than this is a formula: it ties nothing together
MAX_HELD_OUT = 200  # poems of a cluster that may be held out; a larger one is for training
NEAR_DUPLICATE = 0.6  # share of its lines that a poem has in common with one kept
COLLECTIVE = ("不詳", "無名氏", "佚名", "闕名", "郊廟朝會歌辭")

app = typer.Typer(help=__doc__, add_completion=False)


@dataclass
class Report:
    """What became of the poems.

    Args:
        commit: Upstream's, that they come from; empty for a corpus of one's own.
        digest: Of the archive or the directory.
        verified: Whether every file is the one that upstream has at that commit.
    """

    commit: str
    digest: str
    verified: bool = False
    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    eras: Counter[str] = field(default_factory=Counter)
    characters: int = 0
    clusters: int = 0
    largest_cluster: int = 0


def prolific_authors(poems: Iterable[CorpusPoem], min_poems: int) -> list[str]:
    """Return the authors of at least min_poems, the most prolific first."""
    counts = Counter(poem.author for poem in poems)
    return [
        author
        for author, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count >= min_poems and author and author not in COLLECTIVE
    ]


def build(source: Path) -> tuple[dict[str, list[CorpusPoem]], Report]:
    """Clean, deduplicate and split the poems of upstream's archive or a directory of it.

    Raises:
        CorpusError: If source cannot be read.
    """
    origin = origin_of(source)
    report = Report(origin.commit, digest_of(source), origin.verified)
    poems = _with_meter(_without_duplicates(_cleaned(source, report), report))
    clusters = _clusters(poems)
    sizes = Counter(clusters)
    report.clusters, report.largest_cluster = len(sizes), max(sizes.values(), default=0)
    splits: dict[str, list[CorpusPoem]] = {name: [] for name in SPLITS}
    for poem, split in zip(poems, _splits(poems, clusters), strict=True):
        splits[split].append(poem)
    _drop_leaks(splits, report)
    report.splits = Counter({name: len(members) for name, members in splits.items()})
    return splits, report


def _cleaned(source: Path, report: Report) -> Iterator[CorpusPoem]:
    for era, fields in read_archive(source):
        report.read += 1
        try:
            paragraphs, reason = clean_body(fields["paragraphs"])
            author, title = clean_author(fields["author"]), clean_title(fields["title"])
        except (KeyError, TypeError) as error:
            raise CorpusError(
                f"poem {report.read} has not upstream's author, title and paragraphs: {fields}"
            ) from error
        if reason:
            report.dropped[reason] += 1
            continue
        yield CorpusPoem(author, title, paragraphs, era)


def _without_duplicates(poems: Iterable[CorpusPoem], report: Report) -> list[CorpusPoem]:
    """Keep of poems that share most of their lines the first and longest."""
    ordered = sorted(
        poems, key=lambda poem: (-len(poem.text), poem.text, poem.era or "", poem.author)
    )
    kept: list[CorpusPoem] = []
    homes: dict[str, list[int]] = {}
    for poem in ordered:
        lines = set(poem.lines)
        shared = Counter(home for line in lines for home in homes.get(line, ()))
        most = max(shared.values(), default=0)
        if most and most >= NEAR_DUPLICATE * len(lines):
            report.dropped["stands in another poem"] += 1
            continue
        for line in lines:
            home = homes.setdefault(line, [])
            if len(home) < STOCK_LINE:
                home.append(len(kept))
        kept.append(poem)
        report.forms[str(poem.form or "other")] += 1
        report.eras[str(poem.era)] += 1
        report.characters += sum(map(len, poem.lines))
    return kept


def _with_meter(poems: Sequence[CorpusPoem]) -> list[CorpusPoem]:
    """Return the poems with the meter that each keeps to, found on all cores."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        meters = pool.map(meter_of, (poem.lines for poem in poems), chunksize=2000)
        return [replace(poem, meter=meter) for poem, meter in zip(poems, meters, strict=True)]


def meter_of(lines: Sequence[str]) -> str:
    """Return what Poem.meter holds for a poem of these lines."""
    proof = check(lines, exact=True)
    if proof.regulated:
        return proof.line_types
    return RHYMED if proof.checks["押韵"].holds else ""


def _clusters(poems: Sequence[CorpusPoem]) -> list[int]:
    """Return for each poem the number of its cluster: poems tied by shared lines."""
    parents = list(range(len(poems)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    homes: dict[str, list[int]] = {}
    for index, poem in enumerate(poems):
        for line in set(poem.lines):
            if len(line) >= MIN_SHARED_LINE:
                homes.setdefault(line, []).append(index)
    for members in homes.values():
        if len(members) <= STOCK_LINE:
            for member in members[1:]:
                parents[root(member)] = root(members[0])
    return [root(index) for index in range(len(poems))]


def _splits(poems: Sequence[CorpusPoem], clusters: Sequence[int]) -> Iterator[str]:
    """Yield each poem's split, drawn by the hash of its cluster's smallest text."""
    keys: dict[int, str] = {}
    for poem, cluster in zip(poems, clusters, strict=True):
        keys[cluster] = min(keys.get(cluster, poem.text), poem.text)
    sizes = Counter(clusters)
    drawn = {
        cluster: _uniform(text) if sizes[cluster] <= MAX_HELD_OUT else 1.0
        for cluster, text in keys.items()
    }
    for cluster in clusters:
        if drawn[cluster] < HELD_OUT_SHARE:
            yield "test"
        elif drawn[cluster] < 2 * HELD_OUT_SHARE:
            yield "validation"
        else:
            yield "train"


def _uniform(text: str) -> float:
    """Return a number in [0, 1) that follows from text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _drop_leaks(splits: dict[str, list[CorpusPoem]], report: Report) -> None:
    """Drop poems held out that share a line with another split after all (short, stock lines)."""
    seen = {line for poem in splits["train"] for line in poem.lines}
    for name in ("validation", "test"):
        clean = [poem for poem in splits[name] if seen.isdisjoint(poem.lines)]
        report.dropped["shares a stock line"] += len(splits[name]) - len(clean)
        splits[name] = clean
        seen |= {line for poem in clean for line in poem.lines}


def write(splits: dict[str, list[CorpusPoem]], report: Report, out: Path) -> None:
    """Write the splits as JSON lines and the report: where it stands, the splits are its own."""
    out.mkdir(parents=True, exist_ok=True)
    report_file = out / "report.json"
    report_file.unlink(missing_ok=True)
    for name, poems in splits.items():
        with (
            replacing(out / f"{name}.jsonl") as partial,
            partial.open("w", encoding="utf-8") as file,
        ):
            # By hash, so that any first thousand poems are a fair sample.
            for poem in sorted(poems, key=lambda poem: (_uniform(poem.text), poem.text)):
                file.write(json.dumps(asdict(poem), ensure_ascii=False) + "\n")
    text = json.dumps(vars(report), ensure_ascii=False, indent=1)
    with replacing(report_file) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def show(report: Report, console: Console) -> None:
    """Print what was read, kept and dropped, and why."""
    table = Table(
        "", "poems", title=f"{report.read:,} poems read, {report.characters:,} characters kept"
    )
    groups: dict[str, Counter[str]] = {
        "split": report.splits,
        "dropped": report.dropped,
        "form": report.forms,
        "era": report.eras,
    }
    for group, counts in groups.items():
        for name, count in counts.most_common():
            table.add_row(f"{group}: {name}", f"{count:,}")
    table.add_row("clusters", f"{report.clusters:,}")
    table.add_row("largest cluster", f"{report.largest_cluster:,}")
    console.print(table)


@app.command()
def main(
    source: Annotated[
        Path | None,
        typer.Option(
            envvar="YIN_CORPUS",
            help="An archive (.tar.gz, .tar.xz, .zip) of chinese-poetry, or a directory of it.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the splits go.")] = Path("corpus"),
) -> None:
    """Prepare the corpus; without a source, download upstream's archive and verify it."""
    console = Console(stderr=True)
    with reporting(CorpusError, OSError):
        archive = source or download(out / "upstream", console)
        splits, report = build(archive)
        write(splits, report, out)
    show(report, console)


if __name__ == "__main__":
    app()
