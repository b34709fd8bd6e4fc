"""The gate against the policy table, and the invariants that hold whatever the facts."""

import ast
import datetime as dt
import zoneinfo
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import gate, kinds, precedence
from notifications.gate import Facts, Refuse, Send, Visit, Wait
from notifications.kinds import Class, Wanted
from tests.generated import cases
from tests.notifications import gate_oracle

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
START = NOW + DAY

ALL = kinds.TABLE
MARKETING = ["birthday", "promotion", "rebook", "review", "welcome"]


def facts(kind: str = "reminder", **changes: Any) -> Facts:
    """Facts with nothing against them."""
    row = ALL[kind]
    state = "cancelled" if row.wanted == Wanted.CANCELLED else "stands"
    values: dict[str, Any] = {
        "message_id": 1, "kind": row, "channel": row.channels[0], "zone": "Europe/Paris", "client_id": 7, "expires_at": START,
        "consent": "granted" if row.is_marketing else "unknown", "is_switched_on": True, "has_public_address": True,
    }  # fmt: skip
    if row.kind_class == Class.SYSTEM:
        values |= {"asked_at": NOW - HOUR}
    elif row.wanted == Wanted.DONE:
        values |= {"visit": Visit(3, 1, NOW - DAY, "done")}
    elif not row.is_marketing:
        values |= {"visit": Visit(3, 1, START, state), "said_version": 1, "said_start_at": START}
    return Facts(**{**values, **changes})


@pytest.mark.parametrize("kind", sorted(ALL))
def test_with_nothing_against_it_a_message_leaves(kind: str) -> None:
    decision = gate.decide(facts(kind, event_ids=(4, 5), address_id=6), NOW)
    assert isinstance(decision, Send)
    assert (decision.message_id, decision.client_id, decision.event_ids, decision.address_id) == (1, 7, (4, 5), 6)
    assert decision.decided_at == NOW


COLUMNS: dict[str, dict[str, Any]] = {
    "inactive": {"is_inactive": True},
    "restricted": {"is_restricted": True},
    "erased": {"is_erased": True},
    "blacklisted": {"is_blacklisted": True},
    "stopped": {"scope": "all", "stop_reason": "stop"},
    "bounced": {"scope": "delivery", "stop_reason": "hard_bounce"},
    "no_address": {"has_address": False},
    "suppressed": {"scope": "marketing", "stop_reason": "object"},
    "minor": {"is_minor": True},
}


@pytest.mark.parametrize("column", gate_oracle.COLUMNS)
@pytest.mark.parametrize("kind", sorted(ALL))
def test_the_policy_table_cell_by_cell(kind: str, column: str) -> None:
    decision = gate.decide(facts(kind, **COLUMNS[column]), NOW)
    assert isinstance(decision, Refuse if gate_oracle.POLICY[kind][column] in "BF" else Send)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_on_hold": True}, "hold"),
        ({"client_id": None}, "gone"),
        ({"visit": None}, "gone"),
        ({"visit": Visit(3, 1, START, "cancelled")}, "cancelled"),
        ({"visit": Visit(3, 1, START, "over")}, "over"),
        ({"visit": Visit(3, 1, START, "done")}, "over"),
        ({"visit": Visit(3, 2, START, "stands")}, "moved"),
        ({"visit": Visit(3, 1, START + HOUR, "stands")}, "moved"),
        ({"is_told": True}, "duplicate"),
        ({"expires_at": NOW}, "expired"),
        ({"is_stopped": True}, "halted"),
        ({"scope": "all", "stop_reason": "erased"}, "suppressed_all"),
        ({"scope": "all", "stop_reason": "stop"}, "channel_stop"),
        ({"consent": "withdrawn"}, "client_refused"),
        ({"is_service_opt_in": True}, "consent_missing"),
        ({"is_switched_on": False}, "automation_off"),
    ],
)
def test_each_reason_against_a_reminder(changes: dict[str, Any], reason: str) -> None:
    assert gate.decide(facts(**changes), NOW) == Refuse((reason,))


@pytest.mark.parametrize("consent", ["unknown", "pending", "withdrawn", "soft_opt_in"])
@pytest.mark.parametrize("kind", MARKETING)
def test_advertising_needs_a_yes(kind: str, consent: str) -> None:
    assert gate.decide(facts(kind, consent=consent), NOW) == Refuse(("consent_missing",))


def test_advertising_needs_links_that_work_and_knows_when_it_is_enough() -> None:
    assert gate.decide(facts("promotion", has_public_address=False), NOW) == Refuse(("no_public_address",))
    assert gate.decide(facts("promotion", marketing_day_count=1), NOW) == Refuse(("frequency_cap",))
    assert gate.decide(facts("promotion", marketing_month_count=4), NOW) == Refuse(("frequency_cap",))
    assert isinstance(gate.decide(facts("promotion", marketing_month_count=3), NOW), Send)


def test_a_message_that_is_not_about_a_visit_to_come_does_not_end_with_the_visit() -> None:
    """A wish for a review follows a visit that is over; at night it waits for the morning."""
    night = NOW.replace(hour=22)
    after = facts("review", expires_at=NOW + 3 * DAY)
    assert isinstance(gate.decide(after, night), Wait)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("review", {"visit": Visit(3, 1, NOW - DAY, "over")}, "not_done"),
        ("rebook", {"visit": Visit(3, 1, NOW - DAY, "stands")}, "not_done"),
        ("review", {"visit": None}, "gone"),
        ("review", {"has_target": False}, "no_target"),
        ("review", {"is_asked_lately": True}, "asked_lately"),
        ("rebook", {"is_booked": True}, "booked"),
        ("birthday", {"is_off_day": True}, "not_the_day"),
        ("welcome", {"is_told": True}, "duplicate"),
        ("welcome", {"is_switched_on": False}, "automation_off"),
    ],
)
def test_a_moment_that_is_over_is_not_spoken_of(kind: str, changes: dict[str, Any], reason: str) -> None:
    assert gate.decide(facts(kind, **changes), NOW) == Refuse((reason,))


def test_all_reasons_are_given_in_the_order_of_their_weight() -> None:
    everything = facts(
        "promotion", is_on_hold=True, is_erased=True, is_restricted=True, is_inactive=True, expires_at=NOW, has_address=False,
        scope="marketing", consent="unknown", is_blacklisted=True, is_minor=True, is_switched_on=False, marketing_day_count=3,
        has_public_address=False,
    )  # fmt: skip
    assert gate.decide(everything, NOW) == Refuse((
        "hold", "erased", "restricted", "inactive", "expired", "no_address", "marketing_objection", "consent_missing",
        "blacklisted", "minor", "no_public_address", "automation_off", "frequency_cap",
    ))  # fmt: skip


def paris(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("kind", "at", "until"),
    [
        ("reminder", paris(24, 20, 59), None),
        ("reminder", paris(24, 21), paris(25, 8)),
        ("reminder", paris(25, 7, 59), paris(25, 8)),
        ("reminder", paris(25, 8), None),
        ("confirmation", paris(24, 21, 59), None),
        ("confirmation", paris(24, 22), paris(25, 7)),
        ("change", paris(25, 3), paris(25, 7)),
        ("promotion", paris(24, 21), paris(25, 7)),
        ("promotion", paris(29, 12), None),  # a Sunday
    ],
)
def test_quiet_hours_end_at_the_first_allowed_instant(kind: str, at: dt.datetime, until: dt.datetime | None) -> None:
    start = paris(30, 12)
    given = facts(kind, expires_at=start)
    if given.visit:
        given = replace(given, visit=replace(given.visit, start_at=start), said_start_at=start)
    decision = gate.decide(given, at)
    assert decision == Wait(until, "quiet_hours") if until else isinstance(decision, Send)


def test_no_text_message_with_advertising_on_sundays_and_holidays() -> None:
    sunday = paris(29, 12)
    monday = facts("review", channel="sms", expires_at=sunday + 9 * DAY)
    assert gate.decide(monday, sunday) == Wait(paris(30, 8), "quiet_hours")
    off = replace(monday, holidays=frozenset({dt.date(2026, 11, 30)}))
    assert gate.decide(off, sunday) == Wait(dt.datetime(2026, 12, 1, 8, tzinfo=PARIS), "quiet_hours")


def test_a_reminder_that_would_wait_until_too_late_is_dropped() -> None:
    start = paris(25, 8, 30)
    late = facts(visit=Visit(3, 1, start, "stands"), said_start_at=start, expires_at=start)
    assert gate.decide(late, paris(24, 22)) == Refuse(("expired",))
    start = paris(25, 9)
    assert gate.decide(facts(visit=Visit(3, 1, start, "stands"), said_start_at=start, expires_at=start), paris(24, 22)) == Wait(
        paris(25, 8), "quiet_hours"
    )


@pytest.mark.parametrize("left", [dt.timedelta(minutes=59), dt.timedelta(0), -HOUR])
def test_no_reminder_within_an_hour_of_the_visit_or_after(left: dt.timedelta) -> None:
    """I-19."""
    start = NOW + left
    decision = gate.decide(facts(visit=Visit(3, 1, start, "stands"), said_start_at=start, expires_at=NOW + DAY), NOW)
    assert decision == Refuse(("too_late",) if left > dt.timedelta(0) else ("past",))


# --- whatever the facts -------------------------------------------------------------------------------------------

flags = st.booleans()
mostly_no = st.sampled_from([False] * 9 + [True])
ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Europe/London"]
instants = st.integers(0, 365 * 24 * 60 * 60).map(
    lambda seconds: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Facts, dt.datetime]:
    """Any facts and any instant, near enough to each other that all answers come up."""
    kind = draw(st.sampled_from(sorted(ALL)))
    row = ALL[kind]
    now = draw(instants)
    start = now + draw(st.timedeltas(-2 * HOUR, 3 * DAY))
    said = draw(st.sampled_from([start] * 9 + [start + HOUR]))
    states = ["stands", "cancelled", "over", "done", "done"]
    visit = draw(st.sampled_from([None, *(Visit(3, version, start, state) for version in (1, 1, 2) for state in states)]))
    values: dict[str, Any] = {
        "message_id": 1, "kind": row, "channel": draw(st.sampled_from(row.channels)), "zone": draw(st.sampled_from(ZONES)),
        "client_id": draw(st.sampled_from([7] * 9 + [None])), "expires_at": now + draw(st.timedeltas(-HOUR, 3 * DAY)),
        "consent": draw(st.sampled_from(sorted(gate.CONSENTS))), "has_address": not draw(mostly_no),
        "scope": draw(st.sampled_from(["", "", "", *sorted(gate.SCOPES)])), "stop_reason": draw(st.sampled_from(["stop", ""])),
        "visit": visit, "said_version": 1, "said_start_at": said, "is_switched_on": not draw(mostly_no),
        "marketing_day_count": draw(st.sampled_from([0, 0, 1])), "marketing_month_count": draw(st.integers(0, 5)),
        "holidays": draw(st.sampled_from([frozenset(), frozenset({now.date()})])),
    }  # fmt: skip
    for field in fields(Facts):
        if field.name not in values and field.type in {"bool", bool}:
            values[field.name] = draw(mostly_no)
    values["has_public_address"], values["has_target"] = not draw(mostly_no), not draw(mostly_no)
    for name in ("asked_at", "stopped_at", "paused_until"):
        values[name] = draw(st.sampled_from([None, now - 2 * HOUR, now - HOUR, now, now + HOUR]))
    return Facts(**values), now


def told(decision: gate.Decision) -> str:
    return {Send: "send", Wait: "wait", Refuse: "no"}[type(decision)]


@cases(600)
@given(situations())
def test_the_gate_says_what_the_table_says(situation: tuple[Facts, dt.datetime]) -> None:
    given_facts, now = situation
    local = now.astimezone(zoneinfo.ZoneInfo(given_facts.zone))
    expected = gate_oracle.answer(given_facts.kind.name, given_facts.channel, given_facts, local, now)
    assert told(gate.decide(given_facts, now)) == expected


@cases(200)
@given(situations())
def test_the_gate_is_pure_and_gives_a_reason_for_every_no(situation: tuple[Facts, dt.datetime]) -> None:
    """I-15."""
    given_facts, now = situation
    decision = gate.decide(given_facts, now)
    assert decision == gate.decide(given_facts, now)
    if isinstance(decision, Refuse):
        assert decision.reasons
        assert list(decision.reasons) == sorted(decision.reasons, key=precedence.PRECEDENCE.index)
        assert "error" not in decision.reasons
    if isinstance(decision, Wait):
        assert decision.until > now
        again = gate.decide(given_facts, decision.until)
        assert isinstance(again, Send), "a wait ends in sending if nothing else changes"


JUNK = st.one_of(st.none(), st.text(max_size=5), st.integers(), st.just(object()), st.booleans())


@cases(400)
@given(st.sampled_from([field.name for field in fields(Facts)]), JUNK, situations())
def test_what_cannot_be_understood_is_refused_as_an_error_never_raised(
    name: str, junk: Any, situation: tuple[Facts, dt.datetime]
) -> None:
    """I-15: total. Junk in any field never raises, and never opens a gate that was shut."""
    given_facts, now = situation
    broken = replace(given_facts, **{name: junk})
    decision = gate.decide(broken, now)
    assert isinstance(decision, Send | Wait | Refuse)
    kind_or_channel = {"kind", "channel", "scope", "consent", "zone", "expires_at"}
    if name in kind_or_channel and not isinstance(decision, Refuse):
        assert (
            junk == getattr(given_facts, name)
            or (name == "scope" and junk == "")
            or given_facts.is_client_act
            or (
                name == "zone" and given_facts.kind.is_answer  # leaves at any hour, so the zone is not read
            )
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": None}, {"kind": "reminder"}, {"channel": "pigeon"}, {"consent": "perhaps"},
        {"consent": None}, {"scope": "some"}, {"zone": "Europe/Nowhere"}, {"is_erased": None}, {"expires_at": None},
        {"visit": Visit(3, 1, START, "dreamt")}, {"expires_at": dt.datetime(2026, 11, 25)},  # noqa: DTZ001
    ],
)  # fmt: skip
def test_an_unknown_value_is_an_error(changes: dict[str, Any]) -> None:
    night = NOW.replace(hour=22)
    assert gate.decide(replace(facts(), **changes), night if "zone" in changes else NOW) == Refuse(("error",))
    assert gate.decide(facts(), "now") == Refuse(("error",))  # type: ignore[arg-type]


@cases(300)
@given(situations(), st.data())
def test_marketing_state_never_touches_a_service_message(situation: tuple[Facts, dt.datetime], data: st.DataObject) -> None:
    """I-12: blacklist, age, caps, public address and a marketing stop change nothing."""
    given_facts, now = situation
    if given_facts.kind.kind_class != Class.SERVICE:
        return
    changed = replace(
        given_facts, is_blacklisted=data.draw(flags), is_minor=data.draw(flags), has_public_address=data.draw(flags),
        marketing_day_count=data.draw(st.integers(0, 9)), marketing_month_count=data.draw(st.integers(0, 9)),
        is_soft_opt_in_open=data.draw(flags),
        scope="marketing" if given_facts.scope == "" and data.draw(flags) else given_facts.scope,
    )  # fmt: skip
    assert gate.decide(changed, now) == gate.decide(given_facts, now)


@cases(300)
@given(situations())
def test_nobody_gone_is_written_to_and_nothing_switched_off_leaves(situation: tuple[Facts, dt.datetime]) -> None:
    """I-02 and I-13."""
    given_facts, now = situation
    changes: list[dict[str, Any]] = [{"is_erased": True}]
    if not given_facts.kind.is_answer:  # a STOP is answered whoever sends it
        changes += [{"is_restricted": True}, {"is_inactive": True}]
    for change in changes:
        assert isinstance(gate.decide(replace(given_facts, **change), now), Refuse)
    off = replace(given_facts, is_switched_on=False, is_automatic=True, consent="granted")
    assert isinstance(gate.decide(off, now), Refuse)


@cases(300)
@given(situations())
def test_no_reminder_for_a_visit_that_is_not_to_be(situation: tuple[Facts, dt.datetime]) -> None:
    """I-19, over any situation."""
    given_facts, now = situation
    reminder = replace(given_facts, kind=kinds.TABLE["reminder"], channel="email")
    if isinstance(gate.decide(reminder, now), Send):
        visit = reminder.visit
        assert visit is not None
        assert visit.state == "stands"
        assert visit.start_at - now >= HOUR
        assert (visit.time_version, visit.start_at) == (reminder.said_version, reminder.said_start_at)


WAYS = [(kind, channel) for kind, row in sorted(ALL.items()) if not row.is_answer for channel in row.channels]


@cases(300)
@given(instants, st.sampled_from(ZONES), st.sampled_from(WAYS), flags)
def test_what_waits_leaves_at_the_first_allowed_minute(at: dt.datetime, zone: str, way: tuple[str, str], is_off: bool) -> None:
    """I-17, I-18: found by walking, not by the gate's own arithmetic; through Sundays, holidays and changes of the clocks."""
    there, (kind, channel) = zoneinfo.ZoneInfo(zone), way
    off = frozenset({at.astimezone(there).date(), at.astimezone(there).date() + DAY}) if is_off else frozenset()
    hours = ALL[kind].hours[channel]
    first = hours.first(at, there, off)
    assert first >= at
    assert hours.first(first, there, off) == first
    assert not gate_oracle.is_quiet(kind, channel, first.astimezone(there), off)
    walk = at
    while walk < first:
        assert gate_oracle.is_quiet(kind, channel, walk.astimezone(there), off)
        walk += dt.timedelta(minutes=13)
    last = hours.last(at, there, off)
    assert last <= at
    assert not gate_oracle.is_quiet(kind, channel, last.astimezone(there), off)


# --- one door -----------------------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[2]


def makers_of_send(source: str) -> list[int]:
    """Return the lines that call something named Send."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) == "Send"]


def test_only_the_gate_makes_leave_to_send() -> None:
    found = {
        str(path.relative_to(ROOT))
        for app in ("salon", "clients", "appointments", "notifications")
        for path in (ROOT / app).rglob("*.py")
        if makers_of_send(path.read_text(encoding="utf-8"))
    }
    assert found == {"notifications/gate.py"}
    assert makers_of_send("x = gate.Send(1)") == [1], "the search finds what it looks for"


def test_gate_and_kinds_need_nothing_but_python() -> None:
    allowed = {"datetime", "collections", "dataclasses", "zoneinfo", "enum", "notifications"}
    for name in ("gate", "kinds"):
        tree = ast.parse((ROOT / "notifications" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
                assert {module.split(".")[0] for module in modules} <= allowed
