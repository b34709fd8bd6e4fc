"""Changes of state by compare-and-set: whoever comes second notices. Each app declares its own Table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models


@dataclass(frozen=True)
class Table:
    """Which state may follow which. `moves` maps each state to the states that may follow it."""

    moves: Mapping[str, frozenset[str]]

    def may(self, from_: str, to: str) -> bool:
        """Return whether `to` may follow `from_`."""
        return to in self.moves.get(from_, frozenset())

    def before(self, to: str) -> frozenset[str]:
        """Return every state that `to` may follow."""
        return frozenset(state for state, after in self.moves.items() if to in after)

    def is_final(self, state: str) -> bool:
        """Return whether nothing may follow `state`."""
        return not self.moves.get(state)


def move(row: models.Model, table: Table, *, to: str, guard: models.Q | None = None, **changes: Any) -> bool:
    """Set `row.state` to `to` and `changes` with it, if the row still is in the state we read.

    Return False, and change nothing, if somebody was quicker, `guard` does not hold or the table forbids the step.
    On success the row in hand is brought up to date.
    """
    state: str = row.state  # type: ignore[attr-defined]
    if not table.may(state, to):
        return False
    rows = type(row)._default_manager.filter(pk=row.pk, state=state)
    if guard is not None:
        rows = rows.filter(guard)
    if rows.update(state=to, **changes) != 1:
        return False
    for name, value in {"state": to, **changes}.items():
        setattr(row, name, value)
    return True
