"""Nothing is deleted by itself before an owner has seen whom it touches; then the owner is warned, and what is over goes."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Never

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from appointments.models import Appointment
from clients import breaches, consent, growing_up, holds, lengths, processing, retention_rules
from clients.erasure import act
from clients.merging import merges, undoing
from clients.models import (
    Breach,
    Client,
    ConsentEvent,
    ConsentEvidence,
    HealthNote,
    Processing,
    RetentionHold,
    RetentionRule,
    RetentionWarning,
    RightsRequest,
    Subject,
)
from notifications.models import Message, Reply
from salon.core.models import AuditEvent, Notice, Salon, User
from salon.core.roles import Role
from tests import factories, people

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
PATH = "/settings/privacy/retention/"


def ago(months: int, days: int = 0) -> dt.datetime:
    day = lengths.before(NOW.date(), months) - dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def on(*codes: str) -> None:
    for code in codes:
        RetentionRule.objects.create(pk=code, months=lengths.MONTHS[code], is_on=True)


def old(months: int, *, came: bool = True, **fields: object) -> Client:
    client = factories.client(created_at=ago(60), **fields)
    if came:
        visit = factories.appointment(client=client, state="done", start_at=ago(months, 1), note="five minutes late")
        Appointment.objects.filter(pk=visit.pk).update(created_at=ago(months, 1))
    return client


def form(**changes: str) -> dict[str, str]:
    values = {f"{code}-months": str(months) for code, months in lengths.MONTHS.items()}
    return {**values, **changes}


def test_months_are_counted_on_the_calendar() -> None:
    assert lengths.before(dt.date(2026, 3, 31), 1) == dt.date(2026, 2, 28)
    assert lengths.after(dt.date(2024, 2, 29), 12) == dt.date(2025, 2, 28)
    assert lengths.before(dt.date(2026, 1, 15), 1) == dt.date(2025, 12, 15)
    assert lengths.after(dt.date(2026, 12, 31), 2) == dt.date(2027, 2, 28)


def test_nothing_is_deleted_until_it_is_switched_on(salon: Salon) -> None:
    client = old(40)
    assert retention_rules.run(NOW) == {}
    client.refresh_from_db()
    assert client.erased_at is None
    on("clients")
    retention_rules.run(NOW)
    assert RetentionWarning.objects.get().client == client


def test_the_owner_sees_whom_it_touches_before_it_is_in_force(signed_in: SignIn) -> None:
    owner = signed_in(Role.OWNER)
    with time_machine.travel(NOW, tick=False):
        old(40, last_name="Vergessen")
        values = form(**{"clients-on": "on", "clients-months": "24"})
        unseen = owner.post(PATH, {**values, "act": "save"})
        assert not RetentionRule.objects.exists()
        page = unseen.content.decode()
        assert "Vergessen" in page
        seen = page.split('name="seen" value="')[1].split('"')[0]
        other = owner.post(PATH, {**form(**{"clients-on": "on", "clients-months": "6"}), "act": "save", "seen": seen})
        assert other.status_code == 200
        assert not RetentionRule.objects.exists()
        assert owner.post(PATH, {**values, "act": "save", "seen": seen}).status_code == 303
    row = RetentionRule.objects.get()
    assert (row.pk, row.months, row.is_on) == ("clients", 24, True)
    assert AuditEvent.objects.filter(action="retention.changed").count() == 1
    owner = signed_in(Role.OWNER)  # the frozen sign-in is over by now
    assert owner.post(PATH, {**form(**{"clients-months": "0"}), "act": "preview"}).status_code == 422
    assert signed_in(Role.MANAGER).post(PATH, {**values, "act": "preview"}).status_code == 403
    assert signed_in(Role.RECEPTION).get(PATH).status_code == 200


def test_a_silent_client_is_warned_of_and_erased_a_month_later(owner: User) -> None:
    client, coming_back = old(40), old(40)
    recent, answered, prospect = old(12), old(40), old(0, came=False)
    consent.record(answered, purpose="mkt.promotion", channel="email", event="object", source="one_click_post", now=ago(2))
    on("clients")
    retention_rules.run(NOW)
    assert set(RetentionWarning.objects.values_list("client", flat=True)) == {client.pk, coming_back.pk}
    notice = Notice.objects.get(user=owner)
    assert (notice.code, notice.facts) == ("retention_warning", {"count": 2})
    assert retention_rules.run(NOW) == {}  # once a day
    factories.appointment(client=coming_back, start_at=NOW + dt.timedelta(days=5))
    retention_rules.run(NOW + dt.timedelta(days=20))
    assert list(RetentionWarning.objects.values_list("client", flat=True)) == [client.pk]
    assert Client.objects.filter(erased_at__isnull=False).count() == 0
    retention_rules.run(NOW + dt.timedelta(days=31))
    assert list(Client.objects.filter(erased_at__isnull=False)) == [client]
    assert {recent.pk, answered.pk, prospect.pk, coming_back.pk} <= set(
        Client.objects.filter(erased_at=None).values_list("pk", flat=True)
    )
    assert Notice.objects.filter(user=owner).count() == 1


def test_a_card_that_somebody_wants_kept_is_left_alone_for_a_year_and_warned_of_again(signed_in: SignIn, owner: User) -> None:
    kept, other, lead = old(40, last_name="Behalten"), old(40, last_name="Vergessen"), people.user_with(Role.MANAGER)
    on("clients", "health")
    HealthNote.objects.create(client=kept, text="x", written_at=ago(40))
    with time_machine.travel(NOW, tick=False):
        retention_rules.run(NOW)
        manager = signed_in(Role.MANAGER)
        notice = Notice.objects.get(user=lead)
        page = manager.get(notice.url).content.decode()
        for words in ("Behalten", "Vergessen", "To be erased on 18 Dec"):
            assert words in page
        assert "2 cards will be erased" in manager.get(PATH).content.decode()
        path = f"/settings/privacy/retention/{kept.pk}/keep/"
        assert signed_in(Role.RECEPTION).post(path, {"reason": "x"}).status_code == 403
        refused = manager.post(path, {"reason": " "})
        assert refused.status_code == 422
        assert "Say why the card is kept" in refused.content.decode()
        assert RetentionWarning.objects.count() == 2
        assert manager.post(path, {"reason": "Comes from Canada every three years"}).status_code == 303
        page = manager.get("/settings/privacy/retention/due/").content.decode()
        assert "until 18 Nov 2027" in page
        assert "Comes from Canada" in page
    retention_rules.run(NOW + dt.timedelta(days=31))
    assert list(Client.objects.filter(erased_at__isnull=False)) == [other]
    assert not HealthNote.objects.exists(), "what else a rule ends goes from a kept card too"
    # A year later it is asked again, and nothing goes without a month's warning.
    later = NOW + dt.timedelta(days=366)
    retention_rules.run(later)
    assert RetentionWarning.objects.get(client=kept).erase_on == later.date() + retention_rules.WARN_BEFORE
    kept.refresh_from_db()
    assert kept.erased_at is None


def test_a_card_that_is_kept_no_longer_is_warned_of_before_it_goes(signed_in: SignIn, owner: User) -> None:
    client = old(40)
    on("clients")
    row = holds.keep(client, reason="A claim", by=owner, now=NOW)
    retention_rules.run(NOW)
    assert not RetentionWarning.objects.exists()
    assert signed_in(Role.MANAGER).post(f"/settings/privacy/retention/kept/{row.pk}/end/").status_code == 303
    retention_rules.run(NOW + dt.timedelta(days=1))
    assert RetentionWarning.objects.get().client == client
    assert set(AuditEvent.objects.filter(subject_id=client.pk).values_list("action", flat=True)) >= {
        "client.kept",
        "client.let_go",
    }


def test_every_card_that_is_kept_can_be_found_also_beyond_the_first_page(signed_in: SignIn, owner: User) -> None:
    for number in range(52):
        holds.keep(factories.client(last_name=f"K{number:02}"), reason="A claim", by=owner, now=timezone.now())
    browser, path = signed_in(Role.OWNER), "/settings/privacy/retention/due/"
    first, second = (browser.get(path + query).content.decode() for query in ("", "?page=1&kept-page=2"))
    shown = [{number for number in range(52) if f"K{number:02}<" in page} for page in (first, second)]
    assert [len(numbers) for numbers in shown] == [50, 2]
    assert shown[0] | shown[1] == set(range(52))
    assert "?page=1&amp;kept-page=2" in first or "?page=1&kept-page=2" in first


@pytest.mark.parametrize("is_renewed", [True, False])
def test_a_wish_to_keep_that_was_renewed_after_a_merge_stays_with_the_main_card_at_undo(owner: User, is_renewed: bool) -> None:
    """The control is a wish that came with the other card: it goes with that one again."""
    main, other = factories.client(), factories.client()
    holds.keep(other, reason="Theirs", by=owner, now=timezone.now())
    done = merges.merge([main.pk, other.pk], main=main.pk, by=owner, now=timezone.now())
    if is_renewed:
        holds.keep(main, reason="Ours", by=owner, now=timezone.now())
    undoing.undo(done, by=owner, now=timezone.now())
    assert list(RetentionHold.objects.values_list("client", "reason")) == (
        [(main.pk, "Ours")] if is_renewed else [(other.pk, "Theirs")]
    )


def test_a_restricted_card_is_not_named_among_those_that_go(signed_in: SignIn, owner: User) -> None:
    client = old(40, last_name="Verborgen")
    on("clients")
    retention_rules.run(NOW)
    Client.objects.update(restricted_at=NOW)
    assert "Verborgen" not in signed_in(Role.OWNER).get("/settings/privacy/retention/due/").content.decode()
    retention_rules.run(NOW + dt.timedelta(days=31))
    client.refresh_from_db()
    assert client.erased_at is None


def test_who_answers_at_the_last_moment_is_not_erased(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = old(40)
    on("clients")
    retention_rules.run(NOW)
    locked, later = act._locked, NOW + dt.timedelta(days=31)

    def answered(client: Client) -> list[Client]:
        consent.record(client, purpose="mkt.promotion", channel="email", event="object", source="one_click_post", now=later)
        return locked(client)

    monkeypatch.setattr(act, "_locked", answered)
    retention_rules.run(later)
    client.refresh_from_db()
    assert client.erased_at is None


def test_an_answer_by_sms_is_a_contact(owner: User) -> None:
    silent, answered = old(40), old(40)
    Reply.objects.create(client=answered, provider="twilio", meaning="other", body="See you", at=ago(2))
    on("clients")
    retention_rules.run(NOW)
    assert list(RetentionWarning.objects.values_list("client", flat=True)) == [silent.pk]


def test_a_rule_that_fails_keeps_no_other(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    old(40)
    on("health", "clients")

    def broken(_before: dt.datetime) -> Never:
        raise RuntimeError

    rule = dataclasses.replace(retention_rules._rules["health"], rows=broken)
    monkeypatch.setitem(retention_rules._rules, "health", rule)
    assert "clients" in retention_rules.run(NOW)
    assert dict(RetentionRule.objects.values_list("pk", "ran_on")) == {"health": None, "clients": NOW.date()}
    assert RetentionWarning.objects.count() == 1


def test_who_never_came_has_a_rule_of_their_own(salon: Salon) -> None:
    prospect, client = old(0, came=False), old(30)
    on("prospects")
    retention_rules.run(NOW)
    retention_rules.run(NOW + dt.timedelta(days=31))
    gone = set(Client.objects.filter(erased_at__isnull=False).values_list("pk", flat=True))
    assert gone == {prospect.pk}
    assert client.pk not in gone


def test_things_go_when_their_time_is_over_and_not_before(owner: User) -> None:
    before, after = old(7), old(5)
    event = consent.record(
        before, purpose="mkt.promotion", channel="email", event="grant", source="own_form", by=None, now=ago(13)
    )
    ConsentEvidence.objects.create(event=event, note="kept", ip_truncated="192.0.2.0", user_agent_hash="abc")
    for client, months in ((before, 7), (after, 5)):
        Message.objects.create(
            kind="reminder", channel="email", client=client, occasion="x", state="accepted", body="words", recipient="a@b.c",
            not_before=ago(months), expires_at=ago(months), created_at=ago(months),
        )  # fmt: skip
        for handled_at in (None, ago(months)):
            Reply.objects.create(
                provider="twilio", client=client, sender="+33612345678", body="ok", at=ago(months), meaning="other",
                handled_at=handled_at,
            )  # fmt: skip
    RightsRequest.objects.create(kind="copy", received_on=ago(37).date(), known_by="document")
    RightsRequest.objects.create(kind="copy", received_on=ago(35).date(), known_by="document")
    on("bodies", "replies", "visit_notes", "consent_ip", "requests")
    assert list(Reply.objects.filter(body="", sender="")) == []
    assert retention_rules.run(NOW) == {"bodies": 1, "replies": 1, "visit_notes": 1, "consent_ip": 1, "requests": 1}
    assert [row.client for row in Reply.objects.filter(body="", sender="")] == [before]
    assert [row.body for row in Message.objects.order_by("created_at")] == ["", "words"]
    assert [row.note for row in Appointment.objects.order_by("start_at")] == ["", "five minutes late"]
    evidence = ConsentEvidence.objects.get()
    assert (evidence.note, evidence.ip_truncated, evidence.user_agent_hash) == ("kept", "", "")
    assert RightsRequest.objects.count() == 1
    assert AuditEvent.objects.filter(action="retention.ran").count() == 5


def test_the_ledger_of_the_erased_is_deleted_after_three_years(owner: User) -> None:
    client, other = factories.client(), factories.client()
    for one in (client, other):
        event = consent.record(
            one, purpose="mkt.promotion", channel="email", event="grant", source="in_person", by=owner, now=timezone.now()
        )
        consent.void(event, by=owner)
        consent.record(one, purpose="mkt.promotion", channel="sms", event="deny", source="in_person", by=owner)
    act.erase(client, ground="asked", by=owner, now=timezone.now())
    on("ledger")
    retention_rules.run(timezone.now() + dt.timedelta(days=1000))
    assert Subject.objects.filter(client=None).count() == 1
    RetentionRule.objects.update(ran_on=None)
    retention_rules.run(timezone.now() + dt.timedelta(days=1100))
    assert Subject.objects.filter(client=None).count() == 0
    assert ConsentEvent.objects.filter(subject__client=other).count() == 3
    assert ConsentEvent.objects.count() == 3


def test_what_a_parent_agreed_to_ends_on_the_day_of_age(salon: Salon) -> None:
    """I-49. In France at fifteen."""
    grown, young = (
        factories.client(birth_year=2011, birth_month=11, birth_day=18),
        factories.client(birth_year=2011, birth_month=11, birth_day=19),
    )
    own, adult = factories.client(birth_year=2011, birth_month=11, birth_day=1), factories.client()
    for client, when in ((grown, ago(3)), (young, ago(3)), (own, ago(0)), (adult, ago(3))):
        for purpose, channel in (("mkt.promotion", "email"), ("profiling", "")):
            consent.record(client, purpose=purpose, channel=channel, event="grant", source="paper_form", now=when)
    assert growing_up.expire(NOW) == 1
    assert growing_up.expire(NOW) == 0
    states = {
        name: [consent.standing(client, "mkt.promotion", "email"), consent.standing(client, "profiling", "")]
        for name, client in (("grown", grown), ("young", young), ("own", own), ("adult", adult))
    }
    assert states == {
        "grown": ["withdrawn"] * 2, "young": ["granted"] * 2, "own": ["granted"] * 2, "adult": ["granted"] * 2,
    }  # fmt: skip
    consent.record(grown, purpose="mkt.promotion", channel="email", event="grant", source="paper_form", now=NOW + dt.timedelta(1))
    assert consent.standing(grown, "mkt.promotion", "email") == "granted"


def test_the_record_of_processing_is_filled_in_and_can_be_changed_back(signed_in: SignIn) -> None:
    manager = signed_in(Role.MANAGER)
    page = manager.get("/settings/privacy/record/").content.decode()
    assert all(words in page for words in ("Health notes", "Art. 9(2)(a)", "List of stopped addresses"))
    values = dict.fromkeys(processing.FIELDS, "Our own words")
    assert manager.post("/settings/privacy/record/health/", {**values, "purpose": ""}).status_code == 422
    assert manager.post("/settings/privacy/record/health/", values).status_code == 303
    assert "Our own words" in manager.get("/settings/privacy/record/").content.decode()
    assert manager.post("/settings/privacy/record/health/", {"act": "reset"}).status_code == 303
    assert not Processing.objects.exists()
    assert manager.get("/settings/privacy/record/nothing/").status_code == 404
    assert signed_in(Role.RECEPTION).get("/settings/privacy/record/health/").status_code == 403


def test_a_breach_has_72_hours_said_in_words(signed_in: SignIn) -> None:
    row = Breach(discovered_at=NOW, what="x", data="y")
    assert breaches.clock(row, NOW) == "72 hours left to tell the authority."
    assert breaches.clock(row, NOW + dt.timedelta(hours=70, minutes=30)) == "1 hour left to tell the authority."
    assert "Less than one hour" in breaches.clock(row, NOW + dt.timedelta(hours=71, minutes=30))
    assert "are over" in breaches.clock(row, NOW + dt.timedelta(hours=72))
    row.authority_at = NOW + dt.timedelta(hours=73)
    assert "later than 72 hours" in breaches.clock(row, NOW)
    row.authority_at = NOW + dt.timedelta(hours=71)
    assert "in time" in breaches.clock(row, NOW)
    manager = signed_in(Role.MANAGER)
    form = {"discovered_at": "2026-11-18T10:00", "what": "A list went to the wrong person", "data": "names", "people_count": "12"}
    with time_machine.travel(NOW, tick=False):
        assert manager.post("/settings/privacy/breaches/new/", {**form, "discovered_at": "2026-11-19T10:00"}).status_code == 422
        assert manager.post("/settings/privacy/breaches/new/", {**form, "happened_at": "2026-11-18T11:00"}).status_code == 422
        for name, at in (("happened_at", "1800-01-01T10:00"), ("authority_at", "2026-11-17T10:00")):
            assert manager.post("/settings/privacy/breaches/new/", {**form, name: at}).status_code == 422
        assert manager.post("/settings/privacy/breaches/new/", form).status_code == 303
        page = manager.get("/settings/privacy/breaches/").content.decode()
        assert manager.get(f"/settings/privacy/breaches/{Breach.objects.get().pk}/").status_code == 200
    assert "69 hours left" in page


def test_a_breach_sent_again_after_back_is_one_breach(signed_in: SignIn) -> None:
    manager = signed_in(Role.MANAGER)
    form = {"discovered_at": "2026-11-18T10:00", "what": "A list went to the wrong person", "data": "names", "people_count": "12"}
    with time_machine.travel(NOW, tick=False):
        for _again in range(2):
            assert manager.post("/settings/privacy/breaches/new/", form).status_code == 303
        assert Breach.objects.count() == 1
        assert AuditEvent.objects.filter(action="breach.noted").count() == 1
        assert manager.post("/settings/privacy/breaches/new/", {**form, "what": "Another list"}).status_code == 303
    assert Breach.objects.count() == 2
