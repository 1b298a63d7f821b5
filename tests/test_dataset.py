import numpy as np
import pytest
import torch

import training.dataset
from model.vocabulary import Era, Vocabulary
from training.corpus_poem import CorpusPoem
from training.dataset import IGNORED, Batch, Example, PoemDataset

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


def test_an_author_without_a_token_is_left_out(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems([poem(author="無名")], vocabulary)
    assert [len(field) for field in dataset.pieces[0].header] == [1, 0, 1, 0, 3]


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


def test_shards_of_a_batch_make_up_the_batch(vocabulary: Vocabulary) -> None:
    batch = all_batches(PoemDataset.from_poems(varied_poems(), vocabulary))[0]
    shards = [batch.shard(rank, 3) for rank in range(3)]
    columns = [column.tolist() for shard in shards for column in shard.tokens.T]
    assert sorted(columns) == sorted(batch.tokens.T.tolist())
    assert {shard.num_targets for shard in shards} == {batch.num_targets}


def test_a_long_poem_is_cut_between_couplets(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.dataset, "MAX_BODY", 30)
    long = poem(10)
    pieces = PoemDataset.from_poems([long], vocabulary).pieces
    bodies = [vocabulary.decode(piece.body) for piece in pieces]
    assert "".join(bodies) == long.text
    assert [len(body) for body in bodies] == [24, 24, 12]
    ends = [int(piece.body[-1]) == vocabulary.eos_id for piece in pieces]
    assert ends == [False, False, True]


def test_padding_is_token_zero(vocabulary: Vocabulary) -> None:
    examples = [
        Example(np.array([1, 5]), np.array(body), np.array(cues))
        for body, cues in (([9, 2], [3, 1]), ([2], [4]))
    ]
    batch = training.dataset.collate(examples)
    assert batch.cues.tolist() == [[0, 0], [3, 4], [1, 0]]
    assert batch.tokens.tolist() == [[1, 1], [5, 5], [9, vocabulary.pad_id]]
    assert batch.targets.tolist() == [[IGNORED, IGNORED], [9, 2], [2, IGNORED]]


def test_a_dataset_without_poems_is_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(ValueError, match="expected at least one poem"):
        PoemDataset.from_poems([], vocabulary)


def test_frequencies_count_bodies_alone(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems(varied_poems(), vocabulary)
    bodies = [token for piece in dataset.pieces for token in piece.body.tolist()]
    shares = dataset.log_frequencies().exp()
    assert shares.sum() == pytest.approx(1)
    never = set(range(len(vocabulary))) - set(bodies)
    total = len(bodies) + 0.5 * len(never)
    for token in range(len(vocabulary)):
        assert float(shares[token]) == pytest.approx((bodies.count(token) or 0.5) / total)
