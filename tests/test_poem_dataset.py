import hashlib
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch

import training.poem_dataset
from model.verse.script import unify
from model.vocabulary import Era, Vocabulary
from training.batch import IGNORED, Batch, Example, collate
from training.corpus_poem import CorpusPoem
from training.poem_dataset import KEEP_CUES, KEEP_FIELD, KEEP_HEADER, PoemDataset

LINES = ("日月山水來", "山水日月紅", "來紅山水日", "紅日月山水")


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary("日月山水紅來", ["李白"])


def poem(num_lines: int = 4, author: str = "李白", title: str = "山月") -> CorpusPoem:
    lines = [LINES[number % 4] for number in range(num_lines)]
    couplets = [f"{a}，{b}。" for a, b in zip(lines[::2], lines[1::2], strict=True)]
    return CorpusPoem(author=author, title=title, paragraphs=tuple(couplets), era=Era.TANG)


def texts(batch: Batch, vocabulary: Vocabulary) -> list[str]:
    """What each column predicts."""
    columns = batch.targets.T.tolist()
    return [vocabulary.decode(i for i in column if i != IGNORED) for column in columns]


def all_batches(dataset: PoemDataset, seed: int = 0, epoch: int = 0) -> list[Batch]:
    whole = dataset.epoch(seed, epoch, batch_tokens=200)
    return [whole[index] for index in range(len(whole))]


def varied_poems() -> list[CorpusPoem]:
    return [poem(2 * (1 + number % 5), title="山" * (number % 7)) for number in range(40)]


def test_an_epoch_predicts_every_poem_once(vocabulary: Vocabulary) -> None:
    poems = varied_poems()
    dataset = PoemDataset.from_poems(poems, vocabulary)
    predicted = [text for batch in all_batches(dataset) for text in texts(batch, vocabulary)]
    assert sorted(predicted) == sorted(p.text for p in poems)


def test_the_end_is_predicted_and_the_header_is_not(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems([poem()], vocabulary)
    (batch,) = all_batches(dataset)
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
        (batch,) = all_batches(dataset, epoch=epoch)
        tokens = batch.tokens[:, 0].tolist()
        headers.add(tuple(tokens[: tokens.index(vocabulary.body_id) + 1]))
    assert tuple(vocabulary.header()) in headers
    full = vocabulary.header(form=poem().form, era=Era.TANG, author="李白", title="山月")
    assert tuple(full) in headers
    assert len(headers) >= 12


def one_by_one(dataset: PoemDataset, seed: int, epoch: int, batch_tokens: int) -> list[Batch]:
    """The batches of an epoch, each sequence put together on its own."""
    rng, vocabulary = np.random.default_rng((seed, epoch)), dataset.vocabulary
    pieces, number = list(dataset.pieces), len(dataset)
    has_header = rng.random((number, 1)) < KEEP_HEADER
    kept = has_header & (rng.random((number, 5)) < KEEP_FIELD)
    cued = rng.random(number) < KEEP_CUES
    ties = rng.random(number)
    examples = []
    for piece, stays, with_cues in zip(pieces, kept, cued, strict=True):
        fields = [f for f, keep in zip(piece.header, stays, strict=True) if keep]
        header = [vocabulary.bos_id, *(i for field in fields for i in field), vocabulary.body_id]
        cues = piece.cues if with_cues else [0] * len(piece.body)
        examples.append(Example(*map(np.array, (header, piece.body, cues))))
    lengths = [len(example.header) + len(example.body) for example in examples]
    order = sorted(range(number), key=lambda i: (lengths[i], ties[i]))
    groups: list[list[int]] = [[]]
    for index in order:
        if groups[-1] and (len(groups[-1]) + 1) * lengths[index] > batch_tokens:
            groups.append([])
        groups[-1].append(index)
    rng.shuffle(groups)
    return [collate([examples[index] for index in group]) for group in groups]


def test_batches_are_what_sequences_put_together_one_by_one_give(vocabulary: Vocabulary) -> None:
    poems = [replace(p, meter="rhymed" if i % 3 else "aBbA") for i, p in enumerate(varied_poems())]
    poems[0] = replace(poems[0], author="無名", era=None)
    dataset = PoemDataset.from_poems(poems, vocabulary)
    for epoch in range(4):
        expected = one_by_one(dataset, 3, epoch, 200)
        found = dataset.epoch(3, epoch, 200)
        assert len(found) == len(expected)
        for index, batch in enumerate(expected):
            assert found[index].num_targets == batch.num_targets
            for ours, theirs in zip(found[index][:3], batch[:3], strict=True):
                assert torch.equal(ours, theirs)


def test_a_vocabulary_that_16_bits_do_not_hold_is_refused() -> None:
    codes = map(chr, range(0x20000, 0x2A000))
    large = Vocabulary([character for character in codes if unify(character) == character])
    with pytest.raises(ValueError, match="at most 32,767 tokens"):
        PoemDataset.from_poems([poem()], large)


def test_the_same_seed_and_epoch_give_the_same_batches(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems(varied_poems(), vocabulary)
    first, again, other = (all_batches(dataset, seed) for seed in (5, 5, 6))
    assert all(torch.equal(a.tokens, b.tokens) for a, b in zip(first, again, strict=True))
    assert not all(
        a.tokens.shape == b.tokens.shape and torch.equal(a.tokens, b.tokens)
        for a, b in zip(first, other, strict=False)
    )


def test_batches_are_within_their_size_and_nearly_without_padding(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems(varied_poems() * 10, vocabulary)
    batches = all_batches(dataset)
    assert all(batch.tokens.numel() <= 200 for batch in batches)
    padding = sum(int((batch.tokens == vocabulary.pad_id).sum()) for batch in batches)
    assert padding < 0.1 * sum(batch.tokens.numel() for batch in batches)


def test_the_last_pieces_may_come_several_times(vocabulary: Vocabulary) -> None:
    poems = varied_poems()
    dataset = PoemDataset.from_poems(poems, vocabulary)
    repeated = PoemDataset.from_poems([*poems[:30], *poems[30:] * 3], vocabulary)
    assert dataset.repeating(30, 3).digest() == repeated.digest()
    assert dataset.repeating(30, 1).digest() == dataset.digest()


def test_the_digest_is_of_lengths_and_then_of_every_piece(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.poem_dataset, "DIGESTED_AT_ONCE", 7)
    dataset = PoemDataset.from_poems(
        [replace(each, meter="rhymed") for each in varied_poems()], vocabulary
    )
    pieces = list(dataset.pieces)
    numbers = [len(field) for piece in pieces for field in piece.header]
    numbers += [len(piece.body) for piece in pieces]
    for piece in pieces:
        numbers += [*chain.from_iterable(piece.header), *piece.body, *piece.cues]
    expected = hashlib.sha256(np.array(numbers, dtype=np.int64).tobytes()).hexdigest()
    assert dataset.digest() == expected


def test_a_dataset_without_poems_is_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(ValueError, match="expected at least one poem"):
        PoemDataset.from_poems([], vocabulary)


def test_frequencies_count_bodies_alone(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems(varied_poems(), vocabulary)
    bodies = [token for piece in dataset.pieces for token in piece.body]
    shares = dataset.log_frequencies().exp()
    assert shares.sum() == pytest.approx(1)
    never = set(range(len(vocabulary))) - set(bodies)
    total = len(bodies) + 0.5 * len(never)
    for token in range(len(vocabulary)):
        assert float(shares[token]) == pytest.approx((bodies.count(token) or 0.5) / total)
