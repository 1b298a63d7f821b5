import pytest
import torch
from torch import Tensor

from model.packed_weights import VECTOR, sigmoid_, update, update_halves


def lstm_step(z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return c and h after gates z, in float64."""
    i, f, g, o = z.double().chunk(4, dim=1)
    c = f.sigmoid() * c.double() + i.sigmoid() * g.tanh()
    return c, o.sigmoid() * c.tanh()


def test_a_step_takes_the_gates_as_the_lstm_does() -> None:
    torch.manual_seed(0)
    z, c, h = 3 * torch.randn(5, 4 * 64), torch.randn(5, 64), torch.empty(5, 64)
    expected = lstm_step(z, c)
    update(z, c, h)
    torch.testing.assert_close((c.double(), h.double()), expected, atol=1e-6, rtol=0)


def test_a_step_by_halves_has_twice_the_c_and_half_the_h_of_the_lstm() -> None:
    torch.manual_seed(0)
    z, c, h = 3 * torch.randn(5, 4 * 64), torch.randn(5, 64), torch.empty(5, 64)
    expected = lstm_step(z, c)
    z[:, 2 * 64 : 3 * 64] *= 2
    c *= 2
    update_halves(z, c, h)
    torch.testing.assert_close((c.double() / 2, h.double() * 2), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("threads", [1, 2, 3, 5, 7])
def test_a_sigmoid_is_the_same_bits_wherever_it_stands(threads: int) -> None:
    torch.manual_seed(0)
    x = 4 * torch.randn(8 * 32_768)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected = torch.cat([sigmoid_(part.clone()) for part in torch.split(x, VECTOR)])
        torch.set_num_threads(threads)
        for size in [*range(VECTOR, 40 * VECTOR, VECTOR), *range(VECTOR, len(x), 1001 * VECTOR)]:
            start = int(torch.randint((len(x) - size) // VECTOR + 1, ())) * VECTOR
            part = slice(start, start + size)
            assert torch.equal(sigmoid_(x[part].clone()), expected[part])
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(expected, torch.special.expit(x.double()).float(), atol=1e-7, rtol=0)
