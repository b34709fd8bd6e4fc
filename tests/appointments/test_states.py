"""The state table, pair by pair, written out a second time by hand."""

import pytest

from appointments import states
from appointments.models import State

B, C, A, I, D, N, X = (  # noqa: E741
    State.BOOKED, State.CONFIRMED, State.ARRIVED, State.IN_CHAIR, State.DONE, State.NO_SHOW, State.CANCELLED,
)  # fmt: skip
ALLOWED = {
    B: {C, A, I, D, N, X},
    C: {B, A, I, D, N, X},
    A: {B, C, I, D, X},
    I: {A, D},
    D: {B, I},
    N: {B, A},
    X: set(),
}


@pytest.mark.parametrize("to", State.values)
@pytest.mark.parametrize("from_", State.values)
def test_every_step_is_as_written_down(from_: str, to: str) -> None:
    assert states.TABLE.may(from_, to) == (to in ALLOWED[State(from_)])
    assert states.BACK.may(to, from_) == (to in ALLOWED[State(from_)])


def test_no_state_follows_itself() -> None:
    assert not any(states.TABLE.may(state, state) for state in State.values)


def test_a_cancelled_visit_stays_cancelled() -> None:
    assert states.TABLE.is_final(X)


@pytest.mark.parametrize("is_ahead", [True, False])
@pytest.mark.parametrize("state", State.values)
def test_one_click_leads_only_where_the_table_allows(state: str, is_ahead: bool) -> None:
    to = states.following(state, is_ahead=is_ahead)
    assert to is None or states.TABLE.may(state, to)


def test_clicking_on_the_day_goes_from_booked_to_done() -> None:
    walked, state = [B], B
    while to := states.following(state, is_ahead=False):
        state = State(to)
        walked.append(state)
    assert walked == [B, A, I, D]


def test_before_the_day_a_click_only_confirms() -> None:
    assert states.following(B, is_ahead=True) == C
    assert states.following(C, is_ahead=True) is None
