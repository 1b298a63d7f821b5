"""The batches of an epoch: what is drawn, what is predicted, and how sequences are put together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

import training.keywords
from model.vocabulary import KEYWORD, Era, Vocabulary
from tests.test_poem_dataset import poem, varied_poems
from training.batch import IGNORED, Batch
from training.corpus_poem import CorpusPoem
from training.draw import KEEP_FIELD, KEEP_HEADER, KEEP_KEYWORD, MAX_TITLE_AFTER, Draw
from training.epoch import Epoch
from training.poem_dataset import PoemDataset

EVERYTHING = Draw(cues=0.5, title_after=0.25, keywords=True)
PLAIN = Draw(cues=0.5)


@pytest.fixture
def vocabulary(monkeypatch: pytest.MonkeyPatch) -> Vocabulary:
    """A vocabulary with keywords, for which pairs that come twice are words."""
    monkeypatch.setattr(training.keywords, "WORD_COUNT", 2)
    monkeypatch.setattr(training.keywords, "WORD_BITS", 0.0)
    return Vocabulary("日月山水紅來", ["李白"], keywords=True)


def batches(dataset: PoemDataset, draw: Draw = PLAIN, seed: int = 0, epoch: int = 0) -> list[Batch]:
    whole = Epoch.drawn(dataset, seed, epoch, 200, draw)
    return [whole[index] for index in range(len(whole))]


def columns(found: Sequence[Batch]) -> list[tuple[list[int], list[int]]]:
    """What each sequence is given and is to predict, without padding."""
    pairs = []
    for batch in found:
        for tokens, targets in zip(batch.tokens.T, batch.targets.T, strict=True):
            end = int((targets != IGNORED).nonzero().max()) + 1
            pairs.append((tokens[:end].tolist(), targets[:end].tolist()))
    return pairs


def test_an_epoch_predicts_every_poem_once(vocabulary: Vocabulary) -> None:
    poems = varied_poems()
    dataset = PoemDataset.from_poems(poems, vocabulary)
    predicted = [
        vocabulary.decode(i for i in targets if i != IGNORED)
        for _, targets in columns(batches(dataset))
    ]
    assert sorted(predicted) == sorted(p.text for p in poems)


def test_the_end_is_predicted_and_the_header_is_not(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems([poem()], vocabulary)
    (batch,) = batches(dataset)
    tokens, targets = batch.tokens[:, 0].tolist(), batch.targets[:, 0].tolist()
    body = tokens.index(vocabulary.body_id)
    assert targets[:body] == [IGNORED] * body
    assert targets[body:] == [*vocabulary.encode(poem().text), vocabulary.eos_id]
    assert targets[body:-1] == tokens[body + 1 :]
    assert batch.num_targets == 25


def test_every_field_is_there_in_some_headers_and_not_in_others(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems([poem()], vocabulary)
    headers = set()
    for epoch in range(60):
        ((tokens, _),) = columns(batches(dataset, epoch=epoch))
        headers.add(tuple(tokens[: tokens.index(vocabulary.body_id) + 1]))
    assert tuple(vocabulary.header()) in headers
    full = vocabulary.header(form=poem().form, era=Era.TANG, author="李白", title="山月")
    assert tuple(full) in headers
    assert len(headers) >= 12


def test_keywords_are_predicted_but_for_that_there_are_any(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems([poem()] * 2, vocabulary)
    found = set()
    for epoch in range(60):
        for tokens, targets in columns(batches(dataset, EVERYTHING, epoch=epoch)):
            body = tokens.index(vocabulary.body_id)
            plan = [i for i in targets[:body] if i != IGNORED]
            found.add(vocabulary.decode(plan))
            if plan:
                start = tokens.index(vocabulary.tokens.index(KEYWORD))
                assert plan == tokens[start + 1 : body + 1]
                assert targets[:start] == [IGNORED] * start
    whole = vocabulary.decode(next(dataset.pieces).header[-1])
    assert len(whole) == 4
    assert found == {"", whole, whole[:2], whole[2:]}


def test_a_title_comes_after_the_poem_or_before_it_and_is_then_predicted(
    vocabulary: Vocabulary,
) -> None:
    dataset = PoemDataset.from_poems([poem(title="山月"), poem(title="")], vocabulary)
    after = [*vocabulary.encode("山月"), vocabulary.eos_id]
    seen = [0, 0, 0]
    for epoch in range(400):
        for tokens, targets in columns(batches(dataset, EVERYTHING, epoch=epoch)):
            body, end = tokens.index(vocabulary.body_id), targets.index(vocabulary.eos_id)
            before = vocabulary.title_id in tokens[:body]
            assert targets[body : end + 1] == [*vocabulary.encode(poem().text), vocabulary.eos_id]
            if len(targets) > end + 1:
                assert not before
                assert tokens[end + 1 :] == [vocabulary.eos_id, vocabulary.title_id, *after[:-1]]
                assert targets[end + 1 :] == [IGNORED, *after]
                seen[2] += 1
            seen[before] += 1
    assert seen[2] / 400 == pytest.approx(EVERYTHING.title_after, abs=0.06)
    assert seen[1] / 400 == pytest.approx(1 - MAX_TITLE_AFTER, abs=0.06)
    assert vocabulary.title_after("山月") == [vocabulary.title_id, *after]


def test_only_the_last_piece_of_a_poem_has_its_title_after_it(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.piece.MAX_BODY", 30)
    dataset = PoemDataset.from_poems([poem(10)], vocabulary)
    assert len(dataset) == 3
    always = replace(EVERYTHING, title_after=MAX_TITLE_AFTER)
    titled = 0
    for epoch in range(30):
        for tokens, _ in columns(batches(dataset, always, epoch=epoch)):
            titled += vocabulary.title_id in tokens[tokens.index(vocabulary.body_id) :]
    assert 8 <= titled <= 26


def one_by_one(dataset: PoemDataset, seed: int, epoch: int, draw: Draw) -> list[Batch]:
    """The batches of an epoch, each sequence put together on its own."""
    rng, vocabulary = np.random.default_rng((seed, epoch)), dataset.vocabulary
    pieces, number = list(dataset.pieces), len(dataset)
    has_header = rng.random((number, 1)) < KEEP_HEADER
    kept = has_header & (rng.random((number, 6)) < KEEP_FIELD)
    cued = rng.random(number) < draw.cues
    after = rng.random(number) < draw.title_after / MAX_TITLE_AFTER
    rng.random(number)  # which shi come: all
    keywords = iter(rng.random(sum(len(piece.header[5]) // 3 for piece in pieces)) < KEEP_KEYWORD)
    sequences, ties = [], rng.random(number)
    for index, piece in enumerate(pieces):
        fields = [f for f, keep in zip(piece.header[:5], kept[index], strict=False) if keep]
        opening = [vocabulary.bos_id, *(i for field in fields for i in field)]
        stays = [next(keywords) for _ in range(len(piece.header[5]) // 3)]
        triples = [piece.header[5][3 * n : 3 * n + 3] for n, keep in enumerate(stays) if keep]
        plan = [i for triple in triples for i in triple if kept[index, 5] and draw.keywords]
        title: list[int] = []
        if after[index] and not kept[index, 4] and piece.header[4] and piece.body[-1] == 2:
            title = [*piece.header[4], vocabulary.eos_id]
        whole = [*opening, *plan, vocabulary.body_id, *piece.body, *title]
        counted = [False] * len(opening) + [bool(n) for n in range(len(plan))] + [bool(plan)]
        counted += [True] * len(piece.body) + [bool(n) for n in range(len(title))]
        cues = [0] * (len(opening) + len(plan) + 1)
        cues += [*(piece.cues if cued[index] else [0] * len(piece.body)), *[0] * len(title)]
        sequences.append((whole, counted, cues))
    lengths = [len(whole) for whole, _, _ in sequences]
    groups: list[list[int]] = [[]]
    for index in sorted(range(number), key=lambda i: (lengths[i], ties[i])):
        if groups[-1] and (len(groups[-1]) + 1) * lengths[index] > 200:
            groups.append([])
        groups[-1].append(index)
    rng.shuffle(groups)
    return [side_by_side([sequences[index] for index in group]) for group in groups]


def side_by_side(sequences: Sequence[tuple[list[int], list[bool], list[int]]]) -> Batch:
    longest = max(len(whole) for whole, _, _ in sequences)
    rows = np.zeros((3, len(sequences), longest), dtype=np.int64)
    rows[1] = IGNORED
    for row, (whole, counted, cues) in enumerate(sequences):
        for column, token in enumerate(whole):
            rows[0, row, column] = token
            rows[1, row, column] = token if counted[column] else IGNORED
            rows[2, row, column] = cues[column]
    return Batch.of_rows(rows[0, :, :-1], rows[1, :, 1:], rows[2, :, 1:])


@pytest.mark.parametrize("draw", [EVERYTHING, PLAIN])
def test_batches_are_what_sequences_put_together_one_by_one_give(
    vocabulary: Vocabulary, draw: Draw
) -> None:
    poems = [replace(p, meter="rhymed" if i % 3 else "aBbA") for i, p in enumerate(varied_poems())]
    poems[0] = replace(poems[0], author="無名", era=None)
    dataset = PoemDataset.from_poems(poems, vocabulary)
    for epoch in range(4):
        expected, found = one_by_one(dataset, 3, epoch, draw), batches(dataset, draw, 3, epoch)
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.num_targets == theirs.num_targets
            for one, other in zip(ours[:3], theirs[:3], strict=True):
                assert torch.equal(one, other)


def test_the_same_seed_and_epoch_give_the_same_batches(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems(varied_poems(), vocabulary)
    first, again, other = (batches(dataset, EVERYTHING, seed) for seed in (5, 5, 6))
    assert all(torch.equal(a.tokens, b.tokens) for a, b in zip(first, again, strict=True))
    assert not all(
        a.tokens.shape == b.tokens.shape and torch.equal(a.tokens, b.tokens)
        for a, b in zip(first, other, strict=False)
    )


def test_batches_are_within_their_size_and_nearly_without_padding(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems(varied_poems() * 10, vocabulary)
    found = batches(dataset, EVERYTHING)
    assert all(batch.tokens.numel() <= 200 for batch in found)
    padding = sum(int((batch.tokens == vocabulary.pad_id).sum()) for batch in found)
    assert padding < 0.1 * sum(batch.tokens.numel() for batch in found)


def test_an_epoch_may_have_a_share_of_the_shi_and_has_all_ci(vocabulary: Vocabulary) -> None:
    shi: list[CorpusPoem] = varied_poems() * 5
    ci = [replace(each, tune="滿江紅", title="") for each in varied_poems()[:20]]
    dataset = PoemDataset.from_poems([*shi, *ci], vocabulary)
    some = replace(PLAIN, shi=0.3)
    sizes = [len(columns(batches(dataset, some, epoch=epoch))) for epoch in range(8)]
    assert len(set(sizes)) > 1
    assert np.mean(sizes) == pytest.approx(20 + 0.3 * 200, abs=8)
    assert len(columns(batches(dataset, replace(PLAIN, shi=0.0)))) == 20
