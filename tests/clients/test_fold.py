"""The fold of the ledger: invariants I-05 to I-11 over generated ledgers, and against an oracle of its own."""

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clients import countries, fold
from clients.fold import Entry, State
from tests.clients import fold_oracle

DAY_0 = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HERE, THERE = "a" * 64, "b" * 64
EVENTS = [
    "grant", "confirm", "pending", "deny", "withdraw", "object", "restrict_lift", "expire", "soft_opt_in", "address_changed",
    "import_claim", "merge_hold", "provider_stop", "provider_start", "complaint",
]  # fmt: skip
POSITIVE = {"grant", "confirm"}
NEGATIVE = set(fold_oracle.NO)
SOURCES = ["in_person", "paper_form", "preference_page", "import", "portal"]


def at(day: int) -> dt.datetime:
    return DAY_0 + dt.timedelta(days=day)


@st.composite
def entry(draw: st.DrawFn, pk: int, events: list[str] = EVENTS) -> Entry:
    """Return one event; days are few so that ties happen."""
    event = draw(st.sampled_from(events))
    is_yes = event in POSITIVE | {"pending", "soft_opt_in", "import_claim"}
    said = draw(st.integers(0, 6))
    return Entry(
        id=pk,
        purpose=draw(
            st.sampled_from(["mkt.review", "mkt.birthday", "svc.reminder", "profiling", *([] if is_yes else ["*", "**"])])
        ),
        channel=draw(st.sampled_from(["email", "sms", *([] if is_yes else ["*"])])),
        event=event,
        address_hmac=draw(st.sampled_from([HERE, HERE, THERE, ""])),
        effective_at=at(said),
        recorded_at=at(said + draw(st.integers(0, 5))),
        source=draw(st.sampled_from(SOURCES)),
        actor_type=draw(st.sampled_from(["client", "staff", "system", "provider"])),
        evidence_level=draw(st.integers(0, 3)),
        origin=draw(st.integers(1, 2)),
    )


@st.composite
def ledgers(draw: st.DrawFn, most: int = 8) -> list[Entry]:
    """Return up to 8 events, some of them taken back."""
    said = [draw(entry(pk)) for pk in range(1, draw(st.integers(0, most)) + 1)]
    voided = [one for one in said if draw(st.integers(0, 5)) == 0]
    voids = [
        one._replace(id=100 + one.id, event="void", voids=one.id, effective_at=one.recorded_at, recorded_at=one.recorded_at)
        for one in voided
    ]
    return said + voids


PAIRS = st.sampled_from([("mkt.review", "email"), ("mkt.birthday", "sms"), ("svc.reminder", "email"), ("svc.reminder", "sms")])
LEVELS = st.integers(0, 3)


def state(ledger: list[Entry], pair: tuple[str, str], minimum: int = 1, address: str = HERE) -> State:
    return fold.state(ledger, purpose=pair[0], channel=pair[1], address_hmac=address, minimum_evidence=minimum)


def yes(day: int, pk: int = 1, **fields: object) -> Entry:
    base = Entry(pk, "mkt.review", "email", "grant", HERE, at(day), at(day), "in_person", "staff", 1, 1)
    return base._replace(**fields)  # type: ignore[arg-type]


def no(day: int, pk: int = 2, **fields: object) -> Entry:
    return yes(day, pk, **{"event": "withdraw", "evidence_level": 0, **fields})


MAIL = ("mkt.review", "email")


@given(ledger=ledgers(), pair=PAIRS, minimum=LEVELS, address=st.sampled_from([HERE, THERE, ""]))
def test_the_fold_says_what_the_rule_says(ledger: list[Entry], pair: tuple[str, str], minimum: int, address: str) -> None:
    said = fold_oracle.verdict([one._asdict() for one in ledger], *pair, address, minimum)
    assert state(ledger, pair, minimum, address) == said


@given(ledger=ledgers(), wanted=st.lists(PAIRS, unique=True), address=st.sampled_from([HERE, THERE, ""]))
def test_many_readings_at_once_are_what_each_is_alone(ledger: list[Entry], wanted: list[tuple[str, str]], address: str) -> None:
    def needed(purpose: str, channel: str) -> int:
        return len(purpose + channel) % 4

    hmacs = {"email": address, "sms": HERE, "": ""}
    alone = {
        (purpose, channel): fold.reading(
            ledger, purpose=purpose, channel=channel, address_hmac=hmacs[channel], minimum_evidence=needed(purpose, channel)
        )
        for purpose, channel in wanted
    }
    assert fold.readings(ledger, wanted, address_hmacs=hmacs, minimum_evidence=needed) == alone


@given(ledger=ledgers(), pair=PAIRS, data=st.data())
def test_order_and_repetition_change_nothing(ledger: list[Entry], pair: tuple[str, str], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(ledger + ledger[: len(ledger) // 2]))
    known = {"purpose": pair[0], "channel": pair[1], "address_hmac": HERE, "minimum_evidence": 1}
    assert fold.reading(shuffled, **known) == fold.reading(ledger, **known)  # type: ignore[arg-type]


@given(ledger=ledgers(), pair=PAIRS, more=entry(999, sorted(NEGATIVE)), minimum=LEVELS)
def test_a_no_never_opens(ledger: list[Entry], pair: tuple[str, str], more: Entry, minimum: int) -> None:
    assume(state(ledger, pair, minimum) is not State.GRANTED)
    assert state([*ledger, more], pair, minimum) is not State.GRANTED


@given(ledger=ledgers(), pair=PAIRS, more=entry(999, sorted(POSITIVE)), minimum=LEVELS)
def test_a_yes_never_closes(ledger: list[Entry], pair: tuple[str, str], more: Entry, minimum: int) -> None:
    proven = yes(30, 900, purpose=pair[0], channel=pair[1], evidence_level=3)
    assert state([*ledger, proven], pair, minimum) is State.GRANTED
    assert state([*ledger, proven, more], pair, minimum) is State.GRANTED


@given(one=entry(1, sorted(POSITIVE)), other=entry(2, sorted(NEGATIVE)))
def test_at_the_same_moment_the_no_wins(one: Entry, other: Entry) -> None:
    yes_ = one._replace(purpose="mkt.review", channel="email", address_hmac=HERE)
    no_ = other._replace(purpose="mkt.review", channel="email", effective_at=yes_.effective_at)
    assert state([yes_, no_], MAIL) is not State.GRANTED


@given(ledger=ledgers(4), other=entry(90, sorted(NEGATIVE)), back=st.integers(1, 5), level=LEVELS)
def test_a_back_dated_yes_never_opens(ledger: list[Entry], other: Entry, back: int, level: int) -> None:
    assume(state(ledger, MAIL) is not State.GRANTED)
    no_ = other._replace(purpose="mkt.review", channel="email")
    late = yes(0, 91, effective_at=no_.effective_at - dt.timedelta(days=back), recorded_at=at(40), evidence_level=level)
    assert state([*ledger, no_, late], MAIL) is not State.GRANTED


@given(one=entry(1, sorted(POSITIVE)), other=entry(2, sorted(NEGATIVE)), level=st.integers(0, 1))
def test_a_tick_by_staff_never_beats_the_clients_own_no(one: Entry, other: Entry, level: int) -> None:
    assume(other.event in {"object", "provider_stop", "complaint"} or other.actor_type == "client")
    yes_ = one._replace(purpose="mkt.review", channel="email", address_hmac=HERE, evidence_level=level, effective_at=at(30))
    assert state([yes_, other._replace(purpose="mkt.review", channel="email")], MAIL, 0) is not State.GRANTED


@given(ledger=ledgers(), minimum=LEVELS)
def test_a_new_address_has_no_yes_and_keeps_every_no(ledger: list[Entry], minimum: int) -> None:
    for pair in (MAIL, ("mkt.birthday", "sms")):
        before, after = state(ledger, pair, minimum), state(ledger, pair, minimum, "c" * 64)
        assert after in {State.UNKNOWN, State.WITHDRAWN}
        assert after is State.WITHDRAWN or before is not State.WITHDRAWN


@given(ledger=ledgers(), data=st.data())
def test_a_yes_opens_nothing_but_its_own_kind_and_channel(ledger: list[Entry], data: st.DataObject) -> None:
    strangers = [one for one in ledger if not (one.purpose == "mkt.review" and one.channel == "email")]
    assert state(strangers, MAIL) is not State.GRANTED


def test_moving_back_brings_the_yes_back_unless_a_no_came_between() -> None:
    moved = [yes(0), yes(1, 5, event="address_changed", purpose="**", address_hmac=THERE)]
    assert state(moved, MAIL, address=THERE) is State.UNKNOWN
    assert state(moved, MAIL) is State.GRANTED
    assert state([*moved, no(2)], MAIL) is State.WITHDRAWN


@pytest.mark.parametrize(
    ("country", "channel", "level", "expected"),
    [
        ("FR", "email", 1, State.GRANTED), ("GB", "sms", 1, State.GRANTED), ("DE", "email", 1, State.PENDING),
        ("DE", "email", 2, State.PENDING), ("DE", "email", 3, State.GRANTED), ("DE", "sms", 1, State.PENDING),
        ("DE", "sms", 2, State.GRANTED), ("BE", "email", 1, State.PENDING), ("", "email", 2, State.PENDING),
        ("FR", "email", 0, State.PENDING),
    ],
)  # fmt: skip
def test_a_country_says_what_a_yes_must_prove(country: str, channel: str, level: int, expected: State) -> None:
    minimum = countries.minimum_evidence(country, "mkt.review", channel)
    assert state([yes(0, channel=channel, evidence_level=level)], ("mkt.review", channel), minimum) is expected


def test_start_after_stop_opens_visits_and_nothing_else() -> None:
    told = [
        yes(0, channel="sms", evidence_level=3),
        no(1, channel="sms", purpose="**", event="provider_stop", actor_type="provider", source="provider_webhook"),
        yes(2, 3, channel="sms", purpose="**", event="provider_start", evidence_level=3, actor_type="client"),
    ]
    assert state(told, ("svc.reminder", "sms")) is State.GRANTED
    assert state(told, ("mkt.review", "sms")) is State.WITHDRAWN


def test_a_void_leaves_out_what_it_names_and_itself() -> None:
    slip = [yes(0), no(1), no(1, 3, event="void", voids=2)]
    assert state(slip, MAIL) is State.GRANTED
    assert state(slip[:2], MAIL) is State.WITHDRAWN


def test_what_is_recorded_later_is_not_known_yet() -> None:
    late = no(1, recorded_at=at(9))
    known = {"purpose": "mkt.review", "channel": "email", "address_hmac": HERE, "minimum_evidence": 1}
    assert fold.state([yes(0), late], at=at(5), **known) is State.GRANTED  # type: ignore[arg-type]
    assert fold.state([yes(0), late], at=at(9), **known) is State.WITHDRAWN  # type: ignore[arg-type]


def test_a_signed_form_takes_back_an_objection_and_a_portal_does_not() -> None:
    objection = no(0, event="object", actor_type="client")
    assert state([objection, yes(1, 3, evidence_level=2, source="paper_form")], MAIL) is State.GRANTED
    assert state([objection, yes(1, 3, evidence_level=2, source="portal")], MAIL) is State.WITHDRAWN


def test_the_reading_names_the_stop_that_only_the_client_can_lift() -> None:
    own = no(0, actor_type="client")
    found = fold.reading([own, yes(1)], purpose="mkt.review", channel="email", address_hmac=HERE, minimum_evidence=1)
    assert found.stop == own
    by_staff = fold.reading([no(0)], purpose="mkt.review", channel="email", address_hmac=HERE)
    assert by_staff.stop is None


@pytest.mark.parametrize(
    ("origin", "level", "actor", "expected"),
    [
        (1, 1, "staff", State.GRANTED), (2, 1, "staff", State.WITHDRAWN), (2, 2, "staff", State.GRANTED),
        (1, 1, "client", State.WITHDRAWN), (1, 2, "client", State.GRANTED), (1, 1, "provider", State.WITHDRAWN),
    ],
)  # fmt: skip
def test_who_said_no_says_what_a_later_yes_must_prove(origin: int, level: int, actor: str, expected: State) -> None:
    assert state([no(0, actor_type=actor), yes(1, 3, evidence_level=level, origin=origin)], MAIL) is expected


@pytest.mark.parametrize(("event", "source"), [("withdraw", "preference_page"), ("object", "one_click_post"), ("deny", "phone")])
def test_a_no_said_now_beats_what_was_written_before_though_the_clock_was_set_back(event: str, source: str) -> None:
    granted = yes(5, 1, evidence_level=3)
    waiting = yes(5, 1, event="pending")
    set_back = no(4, 2, event=event, source=source, actor_type="client")
    assert state([granted, set_back], MAIL) is State.WITHDRAWN
    assert state([waiting, set_back], MAIL) is State.WITHDRAWN
    reported_late = no(4, 2, event=event, source=source, actor_type="client", recorded_at=at(6))
    assert state([granted, reported_late], MAIL) is State.GRANTED, "what is only told later has the day on which it was said"
    assert state([set_back, yes(5, 3, evidence_level=3)], MAIL) is State.GRANTED, "a Yes after it counts"
