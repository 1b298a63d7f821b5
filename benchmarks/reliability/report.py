"""The report of an attack: its figures, and what did not hold."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Report:
    """What came of an attack.

    Args:
        figures: What was measured, by name.
        faults: What did not hold, in sentences; none if all did.
    """

    figures: dict[str, Any]
    faults: list[str] = field(default_factory=list)

    def require(self, holds: bool, fault: str) -> None:
        """Note a fault unless something holds."""
        if not holds:
            self.faults.append(fault)
