"""The sixteen derivatives of docs/derivation.md against automatic differentiation.

Letters and order of gates are the derivation's: f, i, C̃ (candidate), o. A derivative is a full
Jacobian: every entry of h_t, of every sequence of a batch, in every entry of the variable.

    B  batch   E  input   H  hidden   z = [h_{t-1}, x_t], so H + E
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from model.lstm import LSTMFunction

E, H = 3, 4


class Step(NamedTuple):
    """One step of an LSTM: what it is given, then what it computes."""

    weight: Tensor  # (4, H, H+E): W_f, W_i, W_C, W_o
    bias: Tensor  # (4, H)
    h_before: Tensor  # (B, H), h_{t-1}
    x: Tensor  # (B, E)
    c_before: Tensor  # (B, H), C_{t-1}
    f: Tensor  # (B, H), and so are all that follow
    i: Tensor
    candidate: Tensor
    o: Tensor
    c: Tensor
    h: Tensor

    @property
    def z(self) -> Tensor:
        """[h_{t-1}, x_t], (B, H+E)."""
        return torch.cat((self.h_before, self.x), dim=-1)

    def with_(self, **given: Tensor) -> "Step":
        """The step computed anew from what it is given, some of it exchanged."""
        return forward(**(dict(zip(self._fields[:5], self[:5], strict=True)) | given))


class Moment(NamedTuple):
    """Step t between its neighbours, for formulas that speak of t-1 and t+1."""

    before: Step
    now: Step
    after: Step


Derivative = Callable[[Moment], Tensor]


def forward(weight: Tensor, bias: Tensor, h_before: Tensor, x: Tensor, c_before: Tensor) -> Step:
    z = torch.cat((h_before, x), dim=-1)
    f, i, candidate, o = torch.einsum("ghz,bz->gbh", weight, z) + bias[:, None]
    f, i, candidate, o = f.sigmoid(), i.sigmoid(), candidate.tanh(), o.sigmoid()
    c = f * c_before + i * candidate
    return Step(weight, bias, h_before, x, c_before, f, i, candidate, o, c, o * c.tanh())


def run(seed: int, batch_size: int, steps: int = 3, scale: float = 1.0) -> list[Step]:
    """Consecutive steps in float64 from random weights, biases, inputs and first state."""
    random = torch.Generator().manual_seed(seed)
    shapes = (4, H, H + E), (4, H), (batch_size, H), (batch_size, H), (steps, batch_size, E)
    weight, bias, h, c, xs = (
        scale * torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes
    )
    states: list[Step] = []
    for x in xs:
        states.append(forward(weight, bias, h, x, c))
        h, c = states[-1].h, states[-1].c
    return states


def slope(now: Step) -> Tensor:
    """o (1 - tanh² C_t), the derivative of h_t in C_t."""
    return now.o * (1 - now.c.tanh() ** 2)


# From what a formula says to the full Jacobian it stands for.


def elementwise(a: Tensor) -> Tensor:
    """∂h_k/∂v_j = a_k where j = k in the same sequence, else 0; (B, H, B, H)."""
    return a.flatten().diag().view(*a.shape, *a.shape)


def of_sequences(jacobians: Tensor) -> Tensor:
    """One (H, N) a sequence, (B, H, N): sequences do not touch; (B, H, B, N)."""
    return torch.einsum("bhn,bd->bhdn", jacobians, torch.eye(len(jacobians)).double())


def in_weight(a: Tensor, z: Tensor) -> Tensor:
    """∂h_k/∂W_jm = a_k z_m where j = k, else 0; (B, H, H, H+E)."""
    return torch.einsum("bk,bm,kj->bkjm", a, z, torch.eye(H).double())


def in_bias(a: Tensor) -> Tensor:
    """∂h_k/∂b_j = a_k where j = k, else 0; (B, H, H)."""
    return a.diag_embed()


def rows(a: Tensor, matrix: Tensor) -> Tensor:
    """diag(a) M for each sequence, from (B, H) and (H, N) or (B, H, N)."""
    return a[..., None] * matrix


def automatic(number: int, now: Step) -> Tensor:
    """Derivative number of the table, by automatic differentiation."""
    if number >= 9:
        stack, gate = now[(number - 9) // 4], (number - 9) % 4  # of the weights or the biases
        name = Step._fields[(number - 9) // 4]
        others = stack.detach()

        def h_of(row: Tensor) -> Tensor:
            return now.with_(**{name: torch.cat((others[:gate], row[None], others[gate + 1 :]))}).h

        return jacobian(h_of, stack[gate])
    name = ["f", "i", "candidate", "c", "c_before", "o", "x", "h_before"][number - 1]
    return jacobian(lambda value: h_given(now, name, value), getattr(now, name))


def h_given(now: Step, name: str, value: Tensor) -> Tensor:
    """h_t with one variable exchanged and all that does not depend on it kept."""
    if name in Step._fields[:5]:
        return now.with_(**{name: value}).h
    now = now._replace(**{name: value})
    c = now.c if name == "c" else now.f * now.c_before + now.i * now.candidate
    return now.o * c.tanh()


def jacobian(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    return torch.autograd.functional.jacobian(function, at, strict=True)  # type: ignore


def before_activation(now: Step) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The derivatives of h_t in what f, i, C̃ and o are activations of: formulas 13 to 16."""
    return (
        slope(now) * now.c_before * (1 - now.f) * now.f,
        slope(now) * now.candidate * (1 - now.i) * now.i,
        slope(now) * now.i * (1 - now.candidate**2),
        now.c.tanh() * (1 - now.o) * now.o,
    )


def source_formula(number: int, moment: Moment) -> Tensor:
    """The formula as the source has it, but for 7 and 8, as a full Jacobian."""
    now = moment.now
    if number <= 6:
        return elementwise(
            [
                slope(now) * now.c_before,
                slope(now) * now.candidate,
                slope(now) * now.i,
                slope(now),
                slope(now) * now.f,
                now.c.tanh(),
            ][number - 1]
        )
    if number <= 12:
        return in_weight(before_activation(now)[number - 9], now.z)
    return in_bias(before_activation(now)[number - 13])


def source_formula_7(moment: Moment) -> Tensor:
    """In x_t, term by term as written."""
    now, after = moment.now, moment.after
    _, w_i, w_c, w_o = now.weight[:, :, H:]  # W z', z' = [0, 1]
    return of_sequences(
        rows((1 - now.o) * now.o * now.c.tanh(), w_o)
        + rows(
            1 - now.c.tanh() ** 2,
            rows(after.c * (1 - now.f) * now.f, w_i)
            + rows((1 - now.i) * now.i * now.candidate, w_i)
            + rows(now.i * (1 - now.candidate**2), w_c),
        )
    )


def source_formula_8(moment: Moment) -> Tensor:
    """In h_{t-1}, term by term as written."""
    now, before = moment.now, moment.before
    _, w_i, w_c, w_o = now.weight[:, :, :H]  # W z', z' = [1, 0]
    return of_sequences(
        rows((1 - now.o) * now.o * now.c.tanh(), w_o)
        + rows((1 - now.c.tanh() ** 2) * before.candidate * (1 - now.f) * now.f, w_i)
        + rows((1 - now.i) * now.i * now.candidate, w_i)
        + rows(now.i * (1 - now.candidate**2), w_c)
    )


def corrected(number: int, moment: Moment, slips: frozenset[str] = frozenset()) -> Tensor:
    """Formula 7 or 8 put right; slips names what of the source's to leave wrong."""
    now = moment.now
    columns = slice(H, None) if number == 7 else slice(None, H)
    w_f, w_i, w_c, w_o = now.weight[:, :, columns]
    wrong_c = moment.after.c if number == 7 else moment.before.candidate
    outer = (1 if "missing o" in slips else now.o) * (1 - now.c.tanh() ** 2)
    carried = wrong_c if "wrong C" in slips else now.c_before
    forget = rows(carried * (1 - now.f) * now.f, w_i if "W_i for W_f" in slips else w_f)
    new = rows((1 - now.i) * now.i * now.candidate, w_i)
    new = new + rows(now.i * (1 - now.candidate**2), w_c)
    cell = rows(outer, forget) + (new if "lost bracket" in slips else rows(outer, new))
    return of_sequences(rows((1 - now.o) * now.o * now.c.tanh(), w_o) + cell)


SLIPS = {
    7: frozenset({"missing o", "wrong C", "W_i for W_f"}),
    8: frozenset({"missing o", "wrong C", "W_i for W_f", "lost bracket"}),
}
RIGHT = [*range(1, 7), *range(9, 17)]
WRONG: dict[int, Derivative] = {7: source_formula_7, 8: source_formula_8}


def distance(ours: Tensor, truth: Tensor) -> float:
    """How far ours is from the truth, as a part of the truth's size."""
    assert ours.shape == truth.shape
    return float((ours - truth).norm() / truth.norm())


@pytest.fixture(params=[(0, 1), (1, 1), (2, 4)], ids=["vector", "another vector", "batch of 4"])
def moment(request: pytest.FixtureRequest) -> Moment:
    seed, batch_size = request.param
    return Moment(*run(seed, batch_size))


@pytest.mark.parametrize("number", RIGHT)
def test_formulas_1_to_6_and_9_to_16_are_right(number: int, moment: Moment) -> None:
    truth = automatic(number, moment.now)
    assert truth.abs().max() > 0.01
    torch.testing.assert_close(source_formula(number, moment), truth, atol=1e-13, rtol=1e-12)


@pytest.mark.parametrize("number", WRONG)
def test_formulas_7_and_8_are_wrong_as_written(number: int, moment: Moment) -> None:
    assert distance(WRONG[number](moment), automatic(number, moment.now)) > 0.5


@pytest.mark.parametrize("number", WRONG)
def test_formulas_7_and_8_are_right_once_corrected(number: int, moment: Moment) -> None:
    truth = automatic(number, moment.now)
    torch.testing.assert_close(corrected(number, moment), truth, atol=1e-13, rtol=1e-12)


@pytest.mark.parametrize("number", WRONG)
def test_the_slips_are_all_that_parts_the_source_from_the_truth(
    number: int, moment: Moment
) -> None:
    slipped = corrected(number, moment, SLIPS[number])
    torch.testing.assert_close(WRONG[number](moment), slipped, atol=1e-13, rtol=1e-12)


@pytest.mark.parametrize(
    ("number", "slip"), [(number, slip) for number in SLIPS for slip in sorted(SLIPS[number])]
)
def test_each_slip_alone_is_an_error(number: int, slip: str, moment: Moment) -> None:
    truth = automatic(number, moment.now)
    assert distance(corrected(number, moment, frozenset({slip})), truth) > 0.05


@pytest.mark.parametrize("number", WRONG)
def test_zero_weights_hide_the_errors(number: int) -> None:
    still = Moment(*run(0, 2, scale=0.0))
    now = still.now.with_(x=torch.ones(2, E).double(), c_before=torch.ones(2, H).double())
    still = still._replace(now=now)
    assert torch.equal(WRONG[number](still), automatic(number, now))


@pytest.mark.parametrize("number", [10, 11])
def test_the_dots_in_10_and_11_stand_for_the_slope(number: int, moment: Moment) -> None:
    now = moment.now
    bare = {10: now.candidate * (1 - now.i) * now.i, 11: now.i * (1 - now.candidate**2)}[number]
    assert distance(in_weight(bare, now.z), automatic(number, now)) > 0.1


def test_a_vector_beside_a_matrix_scales_its_rows() -> None:
    now = run(0, 1)[1]
    w_h, scales = now.weight[:, :, :H], before_activation(now)
    as_rows = sum(rows(a, w) for a, w in zip(scales, w_h, strict=True))
    as_columns = sum(w * a for a, w in zip(scales, w_h, strict=True))
    truth = automatic(8, now)[:, :, 0]
    assert isinstance(as_rows, Tensor)
    assert isinstance(as_columns, Tensor)
    assert distance(as_rows, truth) < 1e-12
    assert distance(as_columns[None], truth) > 0.1


def test_backward_over_one_step_is_the_table(moment: Moment) -> None:
    now, order = moment.now, [1, 0, 2, 3]  # its gates stand i f g o
    weight, bias = now.weight[order].flatten(0, 1), now.bias[order].flatten()
    inputs = now.x[None], now.h_before, now.c_before, weight[:, H:], weight[:, :H], bias
    given = [tensor.clone().requires_grad_() for tensor in inputs]
    d_h = torch.randn(now.h.shape, dtype=torch.float64)
    hs, _ = LSTMFunction.apply(*given)  # type: ignore
    dx, d_h_before, d_c_before, d_w_ih, d_w_hh, d_bias = torch.autograd.grad(hs[0], given, d_h)

    def pulled_back(full: Tensor) -> Tensor:
        return torch.einsum("bh,bh...->...", d_h, full)

    torch.testing.assert_close(dx[0], pulled_back(corrected(7, moment)))
    torch.testing.assert_close(d_h_before, pulled_back(corrected(8, moment)))
    torch.testing.assert_close(d_c_before, pulled_back(source_formula(5, moment)))
    d_w = torch.cat((d_w_hh, d_w_ih), dim=-1).view(4, H, H + E)
    for row, gate in enumerate(order):
        d_gate = pulled_back(source_formula(9 + gate, moment))
        torch.testing.assert_close(d_w[row], d_gate)
        d_gate = pulled_back(source_formula(13 + gate, moment))
        torch.testing.assert_close(d_bias.view(4, H)[row], d_gate)
