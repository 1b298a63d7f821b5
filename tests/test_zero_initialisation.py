"""Why weights start random: the experiment of docs/derivation.md, held to what is said there."""

import math

import pytest
import torch

from benchmarks.zero_initialisation import (
    STARTS,
    SYMBOLS,
    collapsed,
    loss_of,
    sequences,
    start_model,
    train,
)
from model.poetry_model import PoetryConfig, PoetryModel


def test_from_zero_every_gradient_but_that_of_the_output_bias_is_exactly_zero() -> None:
    model = start_model("zero")
    torch.autograd.backward(loss_of(model, next(sequences(seed=0))))
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        assert (parameter.grad.abs().max() > 0) == (name == "output_bias"), name


def test_from_zero_the_units_stay_exactly_equal_and_nothing_is_learnt() -> None:
    model = start_model("zero")
    records = train(model, steps=100)
    assert {(record.spread, record.weight_spread) for record in records} == {(0.0, 0.0)}
    for name, parameter in model.named_parameters():
        assert (parameter == 0).all() == (name != "output_bias"), name
    assert records[-1].loss == pytest.approx(math.log(SYMBOLS), abs=0.02)


def test_from_random_weights_the_units_part_and_the_task_is_learnt() -> None:
    records = train(start_model("random"), steps=300)
    assert min(record.spread for record in records) > 0.1
    assert records[-1].loss < 1.0


def test_equal_units_get_equal_gradients_that_are_not_zero() -> None:
    model = start_model("equal")
    torch.autograd.backward(loss_of(model, next(sequences(seed=0))))
    cell = model.lstm.cells[0]
    for parameter in (cell.weight_ih, cell.weight_hh, cell.bias):
        assert parameter.grad is not None
        of_units = parameter.grad.view(4, cell.hidden_size, -1)
        assert of_units.abs().max() > 1e-4
        torch.testing.assert_close(of_units, of_units[:, :1].expand_as(of_units))


def test_equal_units_stay_equal_but_for_rounding() -> None:
    records = train(start_model("equal"), steps=60)
    assert max(record.spread for record in records) < 1e-10
    assert max(record.weight_spread for record in records) < 1e-10


def test_equal_units_compute_what_one_unit_computes() -> None:
    model, batch = start_model("equal"), next(sequences(seed=0))
    before = model(batch)
    train(model, steps=60)
    after = model(batch)
    assert (after - before).abs().max() > 0.1
    torch.testing.assert_close(collapsed(model)(batch), after, atol=1e-9, rtol=0)


def test_a_random_readout_alone_parts_the_units_of_a_zero_lstm() -> None:
    records = train(start_model("readout"), steps=100)
    assert records[0].spread == 0
    assert records[-1].spread > 0.1


def test_no_two_units_of_a_new_model_start_equal() -> None:
    model = PoetryModel(PoetryConfig(SYMBOLS, 8, 16, num_layers=3))
    for cell in model.lstm.cells:
        for rows in (cell.weight_ih, cell.weight_hh):
            assert len(torch.unique(rows.detach(), dim=0)) == 4 * cell.hidden_size
    assert len(torch.unique(model.embedding.weight.detach(), dim=0)) == SYMBOLS
    assert len(torch.unique(model.projection.weight.detach(), dim=1).T) == 16


def test_refuses_a_start_it_does_not_know() -> None:
    with pytest.raises(ValueError, match=f"start must be one of {STARTS[0]}, .*, got 'ones'"):
        start_model("ones")
