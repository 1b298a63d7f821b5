"""A reference to beat: the same model around torch.nn.LSTM, whose top layer alone is read."""

from dataclasses import replace

from torch import Tensor, nn
from torch.func import functional_call

from model.lstm import LSTMState
from model.poetry_model import PoetryConfig, PoetryModel


class TorchLSTM(nn.Module):
    """torch.nn.LSTM with the interface of model.lstm.LSTM."""

    def __init__(self, config: PoetryConfig) -> None:
        super().__init__()
        self.inner = nn.LSTM(
            config.embedding_size, config.hidden_size, config.num_layers, dropout=config.dropout
        )

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return a state of zeros for batch_size sequences."""
        weight = next(self.inner.parameters())
        zeros = weight.new_zeros(self.inner.num_layers, batch_size, self.inner.hidden_size)
        return LSTMState(zeros, zeros.clone())

    def forward(self, x: Tensor, state: LSTMState | None = None) -> tuple[Tensor, LSTMState]:
        """Read a sequence (T, B, E) in its dtype, whatever the weights are kept in."""
        state = state or self.initial_state(x.shape[1])
        weights = {name: weight.to(x.dtype) for name, weight in self.inner.named_parameters()}
        past = tuple(part.to(x.dtype) for part in state)
        out, end = functional_call(self.inner, weights, (x, past))
        return out, LSTMState(*end)


def torch_model(config: PoetryConfig) -> PoetryModel:
    """Return a PoetryModel whose LSTM is torch's."""
    model = PoetryModel(replace(config, skip_connections=False))
    model.lstm = TorchLSTM(config)  # type: ignore[assignment]
    return model
