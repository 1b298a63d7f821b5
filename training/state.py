"""TrainState: weights, optimizer and position of a run, saved whole or not at all."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from model.checkpoint import digest, write_tensors

# What may change within a run: the learning rate follows the new number of steps.
CHANGEABLE = ("steps", "save_every", "validate_every", "validation_poems")


class StateError(Exception):
    """A saved state that this run cannot be continued from; the message says why."""


class TrainState:
    """All that resuming needs; changed in place by update().

    Args:
        model: Its parameters are the weights.
        weight_decay: Of the matrices; biases and the embedding do not decay.
        average_share: Over which share of the updates, about the last ones, weights are averaged:
            in the average those of update n count as n ** (1 / average_share - 1) (Shamir & Zhang
            2013, polynomial decay). 0 for no average.
        beta2: Of AdamW.
    """

    def __init__(
        self,
        model: nn.Module,
        weight_decay: float,
        average_share: float = 0.0,
        beta2: float = 0.98,
    ) -> None:
        self.model, self._average_share = model, average_share
        self.step = self.epoch = self.position = self.saved_step = 0
        self._names = {p: name for name, p in model.named_parameters()}
        self._average = {p: p.detach().clone() for p in self._names if average_share}
        decaying = [p for p, name in self._names.items() if p.dim() > 1 and "embedding" not in name]
        others = [p for p in self._names if not any(p is q for q in decaying)]
        groups = [
            {"params": decaying, "weight_decay": weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, beta2), eps=1e-8, fused=True)

    def update(self, learning_rate: float) -> None:
        """Apply the gradients and move on by one batch."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.position += 1
        for parameter, mean in self._average.items():
            count = 1 / self._average_share
            mean.lerp_(parameter.detach(), count / (self.step + count - 1))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the model have its averaged weights, if there are any, until the block ends."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for parameter, mean in self._average.items():
            self._average[parameter], parameter.data = parameter.data, mean

    def save(self, path: Path, run: Mapping[str, Any]) -> None:
        """Write everything to path.

        Args:
            path: Where.
            run: What makes this run what it is, in JSON's types.

        Raises:
            OSError: If it cannot be written; the save before is still there.
        """
        metadata = {
            "config": json.dumps(dict(run)),
            "position": json.dumps([self.step, self.epoch, self.position]),
        }
        tensors = self._tensors()
        metadata["checksum"] = digest(metadata, tensors)
        write_tensors(path, tensors, metadata)
        self.saved_step = self.step

    def resume(self, path: Path, run: Mapping[str, Any]) -> None:
        """Go on from what save() wrote to path; a missing file is the start of a run.

        Raises:
            StateError: If the file is damaged or belongs to another run, CHANGEABLE apart.
        """
        if not path.exists():
            return
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise StateError(f"{path} is damaged: {error}; remove it to start again") from error
        if not {"config", "position", "checksum"} <= metadata.keys():
            raise StateError(f"{path} is no state of a run; remove it, or give another folder")
        if metadata.pop("checksum") != digest(metadata, tensors):
            raise StateError(
                f"{path} is damaged: its content does not match its checksum; "
                "remove it to start again"
            )
        saved = json.loads(metadata["config"])
        different = [
            name for name in run if name not in CHANGEABLE and run[name] != saved.get(name)
        ]
        if different:
            raise StateError(
                f"{path} belongs to a run with another {', '.join(different)}; "
                "give its options, or another folder"
            )
        step, epoch, position = json.loads(metadata["position"])
        if step > run["steps"]:
            raise StateError(
                f"{path} is {step} steps into a run, which cannot end after {run['steps']}; "
                "give more steps, or another folder"
            )
        self.step, self.epoch, self.position = step, epoch, position
        self.saved_step = self.step
        self._restore(tensors)

    def _tensors(self) -> dict[str, Tensor]:
        """Return everything to save by name: weights, their average, the optimizer's numbers."""
        tensors = {f"average.{self._names[p]}": mean for p, mean in self._average.items()}
        for parameter, name in self._names.items():
            tensors[f"model.{name}"] = parameter
            for key, moment in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = moment
        return tensors

    @torch.no_grad()
    def _restore(self, tensors: dict[str, Tensor]) -> None:
        for parameter, mean in self._average.items():
            mean.copy_(tensors[f"average.{self._names[parameter]}"])
        for parameter, name in self._names.items():
            parameter.copy_(tensors[f"model.{name}"])
            for key in ("step", "exp_avg", "exp_avg_sq"):
                moment = tensors.get(f"optimizer.{key}.{name}")
                if moment is not None:
                    self.optimizer.state[parameter][key] = moment.to(parameter.device)
