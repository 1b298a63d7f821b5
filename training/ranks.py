"""The processes that train together, and the sum over them."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Ranks:
    """The processes that train together."""

    rank: int = 0
    count: int = 1
    device: torch.device | None = None  # of what is exchanged

    @classmethod
    @contextmanager
    def joined(cls, device: torch.device) -> Iterator[Self]:
        """Be one of the processes that torchrun started, until the block ends; alone without it.

        Raises:
            OSError: If the first rank's address does not resolve; PyTorch would try for minutes.
        """
        if "WORLD_SIZE" not in os.environ:
            yield cls()
            return
        require_address(os.environ["MASTER_ADDR"])
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        try:
            yield cls(distributed.get_rank(), distributed.get_world_size(), device)
        finally:
            # gloo's threads abort a process that ends while they still run
            distributed.destroy_process_group()

    def add_up(self, tensors: list[Tensor]) -> None:
        """Replace each tensor by its sum over all ranks."""
        if self.count == 1:
            return
        flat = nn.utils.parameters_to_vector(tensors)
        distributed.all_reduce(flat)
        nn.utils.vector_to_parameters(flat, tensors)

    def any(self, flag: bool) -> bool:
        """Return whether flag is set in any rank."""
        if self.count == 1:
            return flag
        flags = torch.tensor([float(flag)], device=self.device)
        distributed.all_reduce(flags)
        return bool(flags.item())

    def agree(self, *values: int) -> bool:
        """Return whether these integers of 63 bits are the same in all ranks."""
        if self.count == 1:
            return True
        highest = torch.tensor([*values, *(-value for value in values)], device=self.device)
        distributed.all_reduce(highest, distributed.ReduceOp.MAX)
        most, least = highest.chunk(2)
        return bool(torch.equal(most, -least))

    def finish(self, code: int = 0) -> None:
        """End this process at once, if there are other ranks; its work must be done.

        Left to the interpreter's own end, gloo's threads abort about one in ten processes.
        """
        if self.count > 1:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def require_address(host: str) -> None:
    """See that the address at which ranks meet resolves.

    Raises:
        OSError: If it does not.
    """
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise OSError(
            f"the ranks cannot meet at {host!r}: {error}; on one machine, give torchrun "
            "--local-addr 127.0.0.1"
        ) from error


def own_device() -> torch.device:
    """Return where this rank computes: on a card of its own, or on the processor."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device
