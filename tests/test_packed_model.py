import itertools

import pytest
import torch
from torch import Tensor

from model.packed_model import BATCH_SIZES, PackedModel, UnstableRows
from model.poetry_model import PoetryConfig, PoetryModel
from model.precision import Precision

V = 29


@pytest.fixture(
    params=itertools.product([torch.float32, torch.bfloat16], [False, True]),
    ids=["float32", "float32 skip", "bfloat16", "bfloat16 skip"],
)
def poetry_model(request: pytest.FixtureRequest) -> PoetryModel:
    torch.manual_seed(1)
    dtype, skip_connections = request.param
    config = PoetryConfig(V, embedding_size=16, hidden_size=32, skip_connections=skip_connections)
    poetry = PoetryModel(config)
    torch.nn.init.normal_(poetry.place_embedding.weight[1:])
    torch.nn.init.normal_(poetry.output_bias)
    return poetry.to(dtype).eval()


@torch.inference_mode()
def test_steps_give_the_logits_of_the_model_over_the_whole(poetry_model: PoetryModel) -> None:
    tokens, cues = torch.randint(V, (9, 8)), torch.randint(5, (9, 8))
    expected, _ = poetry_model(tokens, cues=cues)
    packed = PackedModel(poetry_model, 8)
    logits = [packed.logits(packed.step(*row)) for row in zip(tokens, cues, strict=True)]
    exact = poetry_model.output_bias.dtype is torch.float32
    torch.testing.assert_close(
        torch.stack(logits), expected.float(), atol=1e-5 if exact else 0.1, rtol=0
    )


@torch.inference_mode()
def test_a_moved_state_goes_on_where_it_was_and_a_cleared_one_from_the_start(
    poetry_model: PoetryModel,
) -> None:
    packed = PackedModel(poetry_model, 4)
    tokens, cues = torch.tensor([5, 6, 7, 5]), torch.zeros(4, dtype=torch.long)
    first = packed.step(tokens, cues)
    packed.move(2, 0)
    packed.clear(3)
    second = packed.step(torch.tensor([9, 9, 9, 5]), cues)
    assert torch.equal(second[0], second[2])
    assert not torch.equal(second[0], second[1])
    assert torch.equal(second[3], first[3])


@torch.inference_mode()
def test_a_state_that_was_kept_goes_on_where_it_was(poetry_model: PoetryModel) -> None:
    packed = PackedModel(poetry_model, 4)
    tokens, cues = torch.tensor([5, 6, 7, 5]), torch.zeros(4, dtype=torch.long)
    packed.step(tokens, cues)
    kept = packed.state(2)
    expected = packed.step(tokens, cues)[2]
    packed.set_state(0, kept)
    assert torch.equal(packed.step(torch.tensor([7, 1, 1, 1]), cues)[0], expected)


@torch.inference_mode()
def test_a_model_beside_another_has_its_weights_and_states_of_its_own(
    poetry_model: PoetryModel,
) -> None:
    packed = PackedModel(poetry_model, 4)
    tokens, cues = torch.tensor([5, 6, 7, 5]), torch.zeros(4, dtype=torch.long)
    first = packed.step(tokens, cues)
    kept = packed.state(2)
    beside = packed.beside(3)
    assert beside.batch_sizes == (1, 2, 3)
    torch.testing.assert_close(beside.step(tokens[:3], cues[:3]), first[:3], atol=1e-2, rtol=0)
    assert all(map(torch.equal, packed.state(2), kept))


def test_the_least_stable_number_of_rows_that_suffices_is_taken(poetry_model: PoetryModel) -> None:
    packed = PackedModel(poetry_model, 16)
    packed.batch_sizes = (4, 16)
    assert [packed.rows_for(count) for count in (1, 4, 5, 16)] == [4, 4, 16, 16]


def test_batch_sizes_reach_as_far_as_slots(poetry_model: PoetryModel) -> None:
    assert PackedModel(poetry_model, 5).batch_sizes[-1] == 8
    more = max(BATCH_SIZES) + 1
    assert PackedModel(poetry_model, more).batch_sizes[-1] == more


def test_a_batch_size_that_changes_rows_is_not_used(
    poetry_model: PoetryModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = PackedModel.logits

    def shaky(packed: PackedModel, features: Tensor) -> Tensor:
        return exact(packed, features) + (1e-6 if len(features) < 8 else 0.0)

    monkeypatch.setattr(PackedModel, "logits", shaky)
    assert min(PackedModel(poetry_model, 16).batch_sizes) == 8


def test_a_batch_size_that_changes_a_row_once_in_a_hundred_is_not_used(
    poetry_model: PoetryModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, rows_seen = PackedModel.logits, [0]

    def rarely_wrong(packed: PackedModel, features: Tensor) -> Tensor:
        logits = exact(packed, features)
        if len(features) < 8:
            rows_seen[0] += len(features)
            logits[0, 0] += rows_seen[0] == 100
        return logits

    monkeypatch.setattr(PackedModel, "logits", rarely_wrong)
    assert min(PackedModel(poetry_model, 16).batch_sizes) == 8


def test_rows_that_depend_on_their_position_are_refused(
    poetry_model: PoetryModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = PackedModel.logits

    def uneven(packed: PackedModel, features: Tensor) -> Tensor:
        return exact(packed, features) + torch.arange(len(features))[:, None] * 1e-3

    monkeypatch.setattr(PackedModel, "logits", uneven)
    with pytest.raises(UnstableRows, match="a row's position among 16 changes its logits"):
        PackedModel(poetry_model, 16)


def test_precision_is_that_of_the_weights_unless_another_is_asked_for(
    poetry_model: PoetryModel,
) -> None:
    assert PackedModel(poetry_model, 4).precision.dtype is poetry_model.output_bias.dtype
    assert PackedModel(poetry_model.float(), 4, Precision.INT8).precision is Precision.INT8


@pytest.fixture(params=[(32, 2, True), (20, 3, False), (24, 1, True)], ids=str)
def exact_model(request: pytest.FixtureRequest) -> PoetryModel:
    torch.manual_seed(1)
    hidden_size, num_layers, skip = request.param
    config = PoetryConfig(V, 24, hidden_size, num_layers, skip_connections=skip)
    poetry = PoetryModel(config)
    torch.nn.init.normal_(poetry.place_embedding.weight[1:])
    return poetry.eval()


@torch.inference_mode()
def test_steps_in_int8_stay_near_the_model(exact_model: PoetryModel) -> None:
    tokens, cues = torch.randint(V, (30, 8)), torch.randint(5, (30, 8))
    expected, _ = exact_model(tokens, cues=cues)
    packed = PackedModel(exact_model, 8, Precision.INT8)
    logits = torch.stack(
        [packed.logits(packed.step(*row)) for row in zip(tokens, cues, strict=True)]
    )
    assert (logits - expected).std() < 0.1 * expected.std()
    torch.testing.assert_close(logits, expected, atol=0.05, rtol=0)


@torch.inference_mode()
def test_a_state_in_int8_is_cleared_moved_and_kept(exact_model: PoetryModel) -> None:
    packed = PackedModel(exact_model, 4, Precision.INT8)
    tokens, cues = torch.tensor([5, 6, 7, 5]), torch.zeros(4, dtype=torch.long)
    first = packed.step(tokens, cues)
    kept = packed.state(2)
    packed.move(2, 0)
    packed.clear(3)
    second = packed.step(torch.tensor([9, 9, 9, 5]), cues)
    assert torch.equal(second[0], second[2])
    assert not torch.equal(second[0], second[1])
    assert torch.equal(second[3], first[3])
    packed.set_state(1, kept)
    assert torch.equal(packed.step(torch.tensor([1, 9, 1, 1]), cues)[1], second[2])


@torch.inference_mode()
@pytest.mark.parametrize("hidden_size", [36, 256])
@pytest.mark.parametrize("threads", [2, 5])
def test_rows_in_int8_are_the_same_bits_among_any_number_of_others(
    hidden_size: int, threads: int
) -> None:
    torch.manual_seed(3)
    slots = 140
    poetry = PoetryModel(PoetryConfig(301, 40, hidden_size, skip_connections=True)).eval()
    packed = PackedModel(poetry, slots, Precision.INT8)
    assert packed.batch_sizes == tuple(range(1, slots + 1))
    tokens, cues = torch.randint(301, (3, slots)), torch.randint(5, (slots,))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected = logits_after(packed, tokens, cues)
        torch.set_num_threads(threads)
        for rows in range(1, slots + 1):
            start = int(torch.randint(slots - rows + 1, ()))
            part = slice(start, start + rows)
            assert torch.equal(logits_after(packed, tokens[:, part], cues[part]), expected[part])
    finally:
        torch.set_num_threads(before)


def logits_after(packed: PackedModel, tokens: Tensor, cues: Tensor) -> Tensor:
    """Return the logits (B, V) after tokens (T, B), from the state of zeros."""
    for slot in range(tokens.shape[1]):
        packed.clear(slot)
    return packed.logits([packed.step(row, cues) for row in tokens][-1])
