"""Which state of a visit may follow which, and the next one a click leads to. Pure; `booking` makes the changes."""

from collections.abc import Mapping

from appointments.models import State
from salon.core.states import Table

# Staff may correct a slip at any time (done or no-show back to booked); a cancelled visit comes back by Undo alone,
# because by then the client may have been told and somebody else may have the time.
TABLE = Table(
    {
        State.BOOKED: frozenset({State.CONFIRMED, State.ARRIVED, State.IN_CHAIR, State.DONE, State.NO_SHOW, State.CANCELLED}),
        State.CONFIRMED: frozenset({State.BOOKED, State.ARRIVED, State.IN_CHAIR, State.DONE, State.NO_SHOW, State.CANCELLED}),
        State.ARRIVED: frozenset({State.BOOKED, State.CONFIRMED, State.IN_CHAIR, State.DONE, State.CANCELLED}),
        State.IN_CHAIR: frozenset({State.ARRIVED, State.DONE}),
        State.DONE: frozenset({State.BOOKED, State.IN_CHAIR}),
        State.NO_SHOW: frozenset({State.BOOKED, State.ARRIVED}),
        State.CANCELLED: frozenset(),
    }
)

# Undo goes back along every step above, and along no other.
BACK = Table({to: TABLE.before(to) for to in State.values})

# What one click on the status leads to, on the day of the visit and before it.
_ON_THE_DAY: Mapping[str, str] = {
    State.BOOKED: State.ARRIVED,
    State.CONFIRMED: State.ARRIVED,
    State.ARRIVED: State.IN_CHAIR,
    State.IN_CHAIR: State.DONE,
}
_AHEAD: Mapping[str, str] = {State.BOOKED: State.CONFIRMED}


def following(state: str, *, is_ahead: bool) -> str | None:
    """Return the state that one click leads to, or None. `is_ahead`: the day of the visit has not come yet."""
    return (_AHEAD if is_ahead else _ON_THE_DAY).get(state)


# These say that the visit took place or should have: not before its day.
NOT_AHEAD = frozenset({State.ARRIVED, State.IN_CHAIR, State.DONE, State.NO_SHOW})
