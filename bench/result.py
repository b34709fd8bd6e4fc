"""What a bench found: figures of both sides and their ratios, as a table for people and one line for machines."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Result:
    """`figures` are measured values by name, `ratios` the names that docs and issues speak of.

    `targets` says by ratio what is wanted, in words like "≥ 50"; `notes` is for what a reader must know.
    """

    name: str
    figures: Mapping[str, float | int | str]
    ratios: Mapping[str, float]
    targets: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def table(self) -> str:
        """Return the figures and ratios in columns."""
        width = max(len(name) for name in [*self.figures, *self.ratios])
        lines = [f"  {name:<{width}}  {_shown(value):>12}" for name, value in self.figures.items()]
        lines.append("")
        for name, value in self.ratios.items():
            target = f"   wanted: {self.targets[name]}" if name in self.targets else ""
            lines.append(f"  {name:<{width}}  {_shown(value):>12}{target}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def line(self) -> str:
        """Return the JSON line by which one run is laid beside another."""
        return json.dumps({"name": self.name, "figures": dict(self.figures), "ratios": dict(self.ratios)})


def percentile(times: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of `times` do not pass."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
