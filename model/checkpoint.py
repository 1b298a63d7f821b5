"""Checkpoints: a trained model, its vocabulary and where it came from, in one safetensors file.

The file's metadata holds the format version, the configuration, the vocabulary, the provenance
and a SHA-256 over all of these and every tensor, so that a flipped bit anywhere is noticed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from model.poetry_model import PoetryConfig, PoetryModel
from model.replacement import replacing
from model.vocabulary import Vocabulary

FORMAT = "yin-poetry"
FORMAT_VERSION = 1
DTYPES = (torch.float32, torch.bfloat16, torch.float16)  # that weights may be kept in


class CheckpointError(Exception):
    """A file that cannot be used as a checkpoint; the message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """What a training run hands to those who use the model.

    Args:
        name: What the model is called.
        config: The model's sizes.
        vocabulary: The meaning of token ids.
        weights: The state dict of PoetryModel, by parameter name.
        provenance: Corpus commit and digest, training configuration, step, validation bits,
            code version: anything JSON can hold.
    """

    name: str
    config: PoetryConfig
    vocabulary: Vocabulary
    weights: Mapping[str, Tensor]
    provenance: Mapping[str, Any]

    @property
    def checksum(self) -> str:
        """SHA-256, in hexadecimal, over everything in the checkpoint."""
        return digest(self._metadata(), self.weights)

    def build_model(
        self, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> PoetryModel:
        """Return the model in evaluation mode, holding the weights in dtype on device."""
        model = PoetryModel(self.config)
        model.load_state_dict(self.weights)
        return model.to(device=device, dtype=dtype).eval()

    def save(self, path: Path) -> None:
        """Write the checkpoint to path: whole or not at all.

        Raises:
            OSError: If the file cannot be written; what stood at path is still there.
        """
        write_tensors(path, self.weights, self._metadata() | {"checksum": self.checksum})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and verify a checkpoint.

        Raises:
            CheckpointError: If there is no file, it is not a checkpoint of this format, its content
                is not what was saved, or its parts do not fit each other.
        """
        metadata, weights = _read(path)
        if metadata.get("format") != FORMAT:
            raise CheckpointError(f"{path} is a safetensors file but not a checkpoint of {FORMAT}")
        if metadata.get("format_version") != str(FORMAT_VERSION):
            raise CheckpointError(
                f"{path} has format version {metadata.get('format_version')}, "
                f"this release reads version {FORMAT_VERSION}"
            )
        checksum = metadata.pop("checksum", None)
        if checksum != digest(metadata, weights):
            raise CheckpointError(f"{path} is damaged: its content does not match its checksum")
        try:
            checkpoint = cls(
                metadata["name"],
                PoetryConfig(**json.loads(metadata["config"])),
                Vocabulary.from_dict(json.loads(metadata["vocabulary"])),
                weights,
                json.loads(metadata["provenance"]),
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{path} has metadata that cannot be read: {error}") from error
        checkpoint._require_fit(path)
        return checkpoint

    def _metadata(self) -> dict[str, str]:
        return {
            "format": FORMAT,
            "format_version": str(FORMAT_VERSION),
            "name": self.name,
            "config": _to_json(self.config.to_dict()),
            "vocabulary": _to_json(self.vocabulary.to_dict()),
            "provenance": _to_json(dict(self.provenance)),
        }

    def _require_fit(self, path: Path) -> None:
        if len(self.vocabulary) != self.config.vocab_size:
            raise CheckpointError(
                f"{path} has a vocabulary of {len(self.vocabulary)} tokens "
                f"for a model of {self.config.vocab_size}"
            )
        self._require_sizes(path)
        with torch.device("meta"):
            expected = PoetryModel(self.config).state_dict()
        for name in expected.keys() | self.weights.keys():
            if name not in expected:
                raise CheckpointError(f"{path} has a tensor {name} that the model lacks")
            self._require_tensor(path, name, tuple(expected[name].shape))

    def _require_sizes(self, path: Path) -> None:
        """See that every size of the configuration is that of a tensor, before any is built."""
        config = self.config
        sizes = (config.vocab_size, config.embedding_size, config.hidden_size, config.num_layers)
        if not all(type(size) is int for size in sizes):
            raise CheckpointError(f"{path} has sizes that are not whole numbers: {sizes}")
        layers = sum(name.endswith(".weight_hh") for name in self.weights)
        if config.num_layers != layers:
            raise CheckpointError(
                f"{path} has the tensors of {layers} layers for a model of {config.num_layers}"
            )
        embedding = config.vocab_size, config.embedding_size
        self._require_tensor(path, "embedding.weight", embedding)
        gates = 4 * config.hidden_size, config.hidden_size
        self._require_tensor(path, "lstm.cells.0.weight_hh", gates)

    def _require_tensor(self, path: Path, name: str, shape: tuple[int, ...]) -> None:
        if name not in self.weights:
            raise CheckpointError(f"{path} lacks the tensor {name}")
        found = self.weights[name]
        if tuple(found.shape) != shape:
            raise CheckpointError(
                f"{path} has {name} of shape {tuple(found.shape)}, expected {shape}"
            )
        if found.dtype not in DTYPES:
            formats = ", ".join(str(dtype).removeprefix("torch.") for dtype in DTYPES)
            raise CheckpointError(
                f"{path} has {name} in {str(found.dtype).removeprefix('torch.')}, "
                f"expected one of {formats}"
            )
        if not found.isfinite().all():
            raise CheckpointError(f"{path} has values in {name} that are no finite numbers")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file that is at any moment either the old one or the whole new one.

    Raises:
        OSError: If it cannot be written; what stood at path is still there.
    """
    # Not save_file(): it writes by way of a file that a kill leaves there under a random name.
    content = save({name: _on_cpu(tensor) for name, tensor in tensors.items()}, metadata)
    with replacing(path) as partial:
        partial.write_bytes(content)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    _require_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} is not a safetensors file: {error}") from error


def _require_file(path: Path) -> None:
    """See that there is a plain file that may be read: to open a pipe would wait for a writer."""
    try:
        if path.exists() and not path.is_file():
            raise CheckpointError(f"{path} is not a file")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint at {path}") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


def digest(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256, in hexadecimal, over metadata and every tensor."""
    sha256 = hashlib.sha256(_to_json(dict(metadata)).encode())
    for name, tensor in sorted(tensors.items()):
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha256.update(_on_cpu(tensor).reshape(-1).view(torch.uint8).numpy().data)
    return sha256.hexdigest()


def _on_cpu(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
