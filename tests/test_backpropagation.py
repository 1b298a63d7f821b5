"""Backpropagation through time, as docs/derivation.md tells it, against autograd and backward."""

import inspect
import re
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from model.lstm import LSTMFunction

T, B, E, H = 6, 3, 4, 5
DOCUMENT = Path(__file__).parent.parent / "docs" / "derivation.md"


class Trace(NamedTuple):
    """A forward pass under autograd, step by step, and the loss of each step."""

    given: tuple[Tensor, ...]  # x (T, B, E), h_{-1} (B, H), c_{-1} (B, H), W_ih, W_hh, b
    gates: list[tuple[Tensor, Tensor, Tensor, Tensor]]  # i, f, g, o of each step, each (B, H)
    hs: list[Tensor]  # h_{-1} ... h_{T-1}
    cs: list[Tensor]
    targets: Tensor  # (T, B, H)

    def loss_of(self, t: int) -> Tensor:
        """l(t), half the squared distance to the target of step t."""
        return (self.hs[t + 1] - self.targets[t]).square().sum() / 2

    def loss_from(self, t: int) -> Tensor:
        """L(t) = l(t) + L(t+1), the loss of step t and all after it."""
        return torch.stack([self.loss_of(u) for u in range(t, T)]).sum()


class Gradients(NamedTuple):
    """What the recursion finds on its way from the last step to the first."""

    dhs: list[Tensor]  # dL(t)/dh(t), by t
    dcs: list[Tensor]  # dL(t)/dc(t), by t
    dzs: Tensor  # (T, B, 4H)
    dh_first: Tensor
    dc_first: Tensor


@pytest.fixture
def trace() -> Trace:
    random = torch.Generator().manual_seed(3)
    shapes = (T, B, E), (B, H), (B, H), (4 * H, E), (4 * H, H), (4 * H,), (T, B, H)
    *given, targets = (
        torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes
    )
    x, h, c, w_ih, w_hh, bias = (tensor.requires_grad_() for tensor in given)
    gates, hs, cs = [], [h], [c]
    for t in range(T):
        i, f, g, o = (x[t] @ w_ih.T + hs[-1] @ w_hh.T + bias).chunk(4, dim=-1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        gates.append((i, f, g, o))
        cs.append(f * cs[-1] + i * g)
        hs.append(o * cs[-1].tanh())
    return Trace((x, h, c, w_ih, w_hh, bias), gates, hs, cs, targets)


def through_time(trace: Trace, carry_the_cell: bool = True) -> Gradients:
    """The recursion by hand, one step after the other, the last one first."""
    w_hh = trace.given[4].detach()
    dh_later, dc_later = torch.zeros_like(w_hh[:B]), torch.zeros_like(w_hh[:B])
    dhs: list[Tensor] = []
    dcs: list[Tensor] = []
    dzs: list[Tensor] = []
    for t in reversed(range(T)):
        i, f, g, o = (gate.detach() for gate in trace.gates[t])
        c_before, c, h = trace.cs[t].detach(), trace.cs[t + 1].detach(), trace.hs[t + 1].detach()
        dh = (h - trace.targets[t]) + dh_later  # dl(t)/dh(t) + dL(t+1)/dh(t)
        dc = dh * o * (1 - c.tanh() ** 2) + dc_later
        dz_i, dz_f = dc * g * i * (1 - i), dc * c_before * f * (1 - f)
        dz_g, dz_o = dc * i * (1 - g**2), dh * c.tanh() * o * (1 - o)
        dz = torch.cat((dz_i, dz_f, dz_g, dz_o), dim=-1)
        dhs, dcs, dzs = [dh, *dhs], [dc, *dcs], [dz, *dzs]
        dh_later, dc_later = dz @ w_hh, dc * f * carry_the_cell
    return Gradients(dhs, dcs, torch.stack(dzs), dh_later, dc_later)


def summed_over_steps(trace: Trace, found: Gradients) -> tuple[Tensor, ...]:
    """The gradients in x, h, c, W_ih, W_hh and b, from those in z."""
    x, _, _, w_ih, _, _ = trace.given
    d_w_ih = torch.einsum("tbz,tbe->ze", found.dzs, x)
    d_w_hh = torch.einsum("tbz,tbh->zh", found.dzs, torch.stack(trace.hs[:-1]))
    d_bias = found.dzs.sum((0, 1))
    return found.dzs @ w_ih, found.dh_first, found.dc_first, d_w_ih, d_w_hh, d_bias


def test_the_loss_from_t_on_knows_all_that_h_of_t_changes(trace: Trace) -> None:
    for t in range(T):
        (of_whole,) = torch.autograd.grad(trace.loss_from(0), trace.hs[t + 1], retain_graph=True)
        (of_rest,) = torch.autograd.grad(trace.loss_from(t), trace.hs[t + 1], retain_graph=True)
        torch.testing.assert_close(of_rest, of_whole)


@pytest.mark.parametrize("t", range(T - 1))
def test_the_gradient_from_t_on_is_its_own_loss_and_what_comes_later(t: int, trace: Trace) -> None:
    losses = trace.loss_from(t), trace.loss_of(t), trace.loss_from(t + 1)
    whole, own, later = (
        torch.autograd.grad(loss, trace.hs[t + 1], retain_graph=True)[0] for loss in losses
    )
    assert min(own.norm(), later.norm()) > 0.01
    torch.testing.assert_close(whole, own + later)


def test_the_recursion_agrees_with_autograd_at_every_step(trace: Trace) -> None:
    states = [*trace.hs[1:], *trace.cs[1:]]
    expected = torch.autograd.grad(trace.loss_from(0), states, retain_graph=True)
    found = through_time(trace)
    torch.testing.assert_close((*found.dhs, *found.dcs), expected)


def test_the_recursion_agrees_with_autograd_in_every_parameter(trace: Trace) -> None:
    expected = torch.autograd.grad(trace.loss_from(0), trace.given, retain_graph=True)
    torch.testing.assert_close(summed_over_steps(trace, through_time(trace)), expected)


def test_backward_gives_the_gradients_of_the_recursion(trace: Trace) -> None:
    given = tuple(tensor.detach().clone().requires_grad_() for tensor in trace.given)
    hs, _ = LSTMFunction.apply(*given)  # type: ignore
    loss = (hs - trace.targets).square().sum() / 2
    torch.testing.assert_close(loss, trace.loss_from(0))
    expected = summed_over_steps(trace, through_time(trace))
    torch.testing.assert_close(torch.autograd.grad(loss, given), expected)


def test_without_the_cell_the_recursion_is_wrong(trace: Trace) -> None:
    expected = torch.autograd.grad(trace.loss_from(0), trace.given, retain_graph=True)
    found = summed_over_steps(trace, through_time(trace, carry_the_cell=False))
    torch.testing.assert_close(through_time(trace, False).dhs[-1], through_time(trace).dhs[-1])
    for ours, truth in zip(found, expected, strict=True):
        assert (ours - truth).norm() > 0.1 * truth.norm()


def test_one_step_alone_is_not_the_gradient_of_a_weight(trace: Trace) -> None:
    """Formulas 9 to 16 at the last step, where dh is known, leave the earlier steps out."""
    (expected,) = torch.autograd.grad(trace.loss_of(T - 1), trace.given[4], retain_graph=True)
    alone = trace._replace(targets=torch.stack(trace.hs[1:]).detach())
    alone.targets[-1] = trace.targets[-1]  # a loss at the last step only
    found = through_time(alone)
    torch.testing.assert_close(summed_over_steps(alone, found)[4], expected)
    last_step = found.dzs[-1].T @ trace.hs[-2]
    assert (last_step - expected).norm() > 0.1 * expected.norm()


def quoted_code() -> list[str]:
    """The lines of backward that the document quotes, from its table of them."""
    table = DOCUMENT.read_text(encoding="utf-8").split("| in `backward` |")[1].split("\n\n")[0]
    cells = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    return [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


def test_every_line_that_the_document_quotes_stands_in_backward() -> None:
    code = inspect.getsource(LSTMFunction.backward)
    assert len(quoted_code()) >= 10
    assert [line for line in quoted_code() if line not in code] == []


def test_every_test_that_the_document_names_exists() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT.read_text(encoding="utf-8")))
    assert len(named) >= 10
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []
