"""What must hold of every advertising message, whatever was said, stopped and sent before: worlds made by chance.

The oracle reads the rules in its own way: consent from `fold_oracle`, the rest written out here from the policy table.
"""

import datetime as dt
import email
import email.policy
import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from clients import addresses, consent, wording
from clients.models import Client, ConsentEvent, ExistingRule, ImportedCard
from notifications import dispatch, facts, gate, planner
from notifications.models import Message, State
from salon.core.errors import Refused
from salon.core.models import Salon, User
from tests import factories
from tests.clients import fold_oracle
from tests.fakes.provider import FakeProvider
from tests.generated import cases
from tests.notifications import letters, marketing
from tests.notifications.conftest import NOW

pytestmark = pytest.mark.django_db
MARKETING = {"welcome", "birthday", "rebook", "review", "promotion"}
EMAILS = ("anna@example.org", "bruno@example.org")
AGES = {"FR": 15, "DE": 16, "GB": 13, "BE": 16}
MINIMUM = {"FR": 1, "DE": 3, "GB": 1, "BE": 3}  # what a Yes by e-mail has to prove

saying = st.fixed_dictionaries({
    "event": st.sampled_from(
        ["grant", "grant", "grant", "confirm", "pending", "withdraw", "deny", "object", "complaint", "soft_opt_in", "soft_opt_in"]
    ),
    "has_words": st.sampled_from([True, True, False]),
    "purpose": st.sampled_from(["mkt.promotion", "mkt.promotion", "mkt.promotion", "mkt.review", "profiling", "*"]),
    "channel": st.sampled_from(["email", "email", "email", "sms", "*"]),
    "source": st.sampled_from(["in_person", "paper_form", "preference_page", "import"]),
    "hours_ago": st.integers(1, 400),
})  # fmt: skip
earlier = st.fixed_dictionaries({
    "kind": st.sampled_from(["promotion", "welcome", "review", "reminder"]),
    "email": st.sampled_from(EMAILS),
    "state": st.sampled_from(["accepted", "unknown", "closed_unknown", "bounced", "failed", "suppressed"]),
    "minutes_ago": st.sampled_from([10, 23 * 60, 25 * 60, 29 * 24 * 60, 31 * 24 * 60]),
})  # fmt: skip


@dataclass
class Person:
    """One card as it was drawn."""

    email: str = ""
    language: str = "fr"
    is_blacklisted: bool = False
    is_inactive: bool = False
    birth_year: int | None = None
    # Visits that were completed: how many days ago, and for how much. And whether the card came with a list.
    had: list[tuple[int, int]] = field(default_factory=list)
    is_listed: bool = False
    said: list[dict[str, Any]] = field(default_factory=list)


people = st.builds(
    Person,
    email=st.sampled_from([*EMAILS, EMAILS[0], ""]),
    language=st.sampled_from(["fr", "de", "en"]),
    is_blacklisted=st.sampled_from([False] * 6 + [True]),
    is_inactive=st.sampled_from([False] * 8 + [True]),
    birth_year=st.sampled_from([None, None, None, 1980, 2011, 2012, 2015]),
    had=st.lists(st.tuples(st.sampled_from([3, 700, 740]), st.sampled_from([0, 40])), max_size=2),
    is_listed=st.sampled_from([False, False, False, True]),
    said=st.lists(saying, max_size=4),
)
worlds = st.fixed_dictionaries({
    "people": st.lists(people, min_size=1, max_size=4),
    "earlier": st.lists(earlier, max_size=3),
    "country": st.sampled_from(["FR", "FR", "FR", "DE", "GB", "BE"]),
    # Whether the owner lets offers go to existing clients, and whether it did in another country before.
    "to_existing": st.booleans(),
    "public_url": st.sampled_from(["https://salon.example", "https://salon.example", "http://salon.example"]),
})  # fmt: skip


def valid(said: dict[str, Any]) -> dict[str, Any] | None:
    """Return the event in a form that the ledger takes, None for one that it must not."""
    is_yes = said["event"] in {"grant", "confirm", "pending", "soft_opt_in"}
    if is_yes and ("*" in {said["purpose"], said["channel"]}):
        return None
    if said["purpose"] == "profiling":
        return {**said, "channel": ""}
    return said


def build(world: dict[str, Any], now: dt.datetime) -> list[Client]:
    """Make the world and a message that waits for everybody in it."""
    Salon.objects.update(country=world["country"], public_url=world["public_url"])
    campaign = marketing.campaign(now)
    clients, heard = [], []
    staff, service, listed = factories.staff(), factories.service(), factories.imported()
    ExistingRule.objects.create(country="IT", channel="email", switched_on_at=now)
    if world["to_existing"]:
        ExistingRule.objects.create(country=world["country"], channel="email", switched_on_at=now)
    for person in world["people"]:
        client = factories.client(
            email=person.email, language=person.language, birth_year=person.birth_year,
            blacklisted_at=now if person.is_blacklisted else None, inactive_at=now if person.is_inactive else None,
        )  # fmt: skip
        for days, price in person.had:
            start_at = now - dt.timedelta(days=days)
            visit = {"start_at": start_at, "time_set_at": start_at, "state": "done", "price": price, "is_overbooked": True}
            factories.appointment(client=client, staff=staff, service=service, is_notice_wanted=False, **visit)
        if person.is_listed:
            ImportedCard.objects.create(source=listed, client=client, is_new=True)
        heard += [(client, event) for said in person.said if (event := valid(said)) is not None]
        clients.append(client)
    # As life does: what was said first is written down first, whoever of two at one address said it.
    for client, event in sorted(heard, key=lambda pair: -pair[1]["hours_ago"]):
        at = now - dt.timedelta(hours=event["hours_ago"])
        kept = {name: event[name] for name in ("event", "purpose", "channel", "source")}
        is_told = event["event"] == "soft_opt_in" and event["has_words"] and event["channel"]
        text = wording.in_force("fr").get(("existing", event["channel"])) if is_told else None
        consent.record(client, now=at, effective_at=at, text=text, **kept)
    real = dt.datetime.now(dt.UTC)
    for number, one in enumerate(world["earlier"]):
        Message.objects.create(
            kind=one["kind"], channel="email", client=None, occasion=f"earlier{number}", state=one["state"], not_before=now,
            expires_at=now, address_hmac=addresses.hash_of("email", one["email"]),
            handoff_at=real - dt.timedelta(minutes=one["minutes_ago"]),
        )  # fmt: skip
    for client in clients:
        marketing.waiting(client, campaign, now)
    return clients


def may_get(client: Client, world: dict[str, Any], stopped: set[str], lately: dict[str, list[int]]) -> bool:
    """Say what the policy says of this client, reading nothing but rows: consent by the second reading of the fold."""
    ledger = [
        {**row, "origin": row["subject_id"], "voids": row["voids_id"]}
        for row in ConsentEvent.objects.filter(subject__client=client).values()
    ]
    address = addresses.hash_of("email", client.email)
    if not client.email or client.inactive_at or client.blacklisted_at or world["public_url"].startswith("http:"):
        return False
    if client.birth_year and 2026 - client.birth_year - 1 < AGES[world["country"]]:
        return False
    if address in stopped or [minutes for minutes in lately.get(client.email, []) if minutes < 24 * 60]:
        return False
    if len([minutes for minutes in lately.get(client.email, []) if minutes < 30 * 24 * 60]) > 3:
        return False
    verdict = fold_oracle.verdict(ledger, "mkt.promotion", "email", address, MINIMUM[world["country"]])
    return verdict == "granted" or (verdict == "soft_opt_in" and may_get_as_existing(client, world, ledger, address))


# Where the law lets e-mails go to existing clients, as the table of national rules has it.
SOFT = {"FR", "DE", "GB"}
NOES = {"deny", "withdraw", "object", "complaint"}


def may_get_as_existing(client: Client, world: dict[str, Any], ledger: list[dict[str, Any]], address: str) -> bool:
    """The conditions of the soft opt-in, one by one, read from rows."""
    if not world["to_existing"] or world["country"] not in SOFT or client.imports.exists():
        return False
    done = [(visit.start_at, visit.price) for visit in client.appointments.filter(state="done")]
    is_client = any(price for _start, price in done) and any(NOW - start <= dt.timedelta(days=730) for start, _price in done)
    said_no = [
        row for row in ledger
        if row["event"] in NOES and row["channel"] in {"email", "*"} and (row["purpose"] == "*" or row["purpose"][:4] == "mkt.")
    ]  # fmt: skip
    named = ("soft_opt_in", "mkt.promotion", "email", address)
    told = [row for row in ledger if tuple(row[name] for name in ("event", "purpose", "channel", "address_hmac")) == named]
    newest = max(told, key=lambda row: (row["effective_at"], row["recorded_at"], row["id"]))
    return is_client and not said_no and newest["text_id"] is not None and newest["source"] in {"in_person", "paper_form"}


def stopped_addresses() -> set[str]:
    """Return the addresses whose holder's newest word on all advertising stops it, read from the ledger alone."""
    found: set[str] = set()
    for row in ConsentEvent.objects.filter(channel__in=["email", "*"]).order_by("recorded_at", "pk"):
        if row.event in {"object", "complaint"}:
            found.add(addresses.hash_of("email", Client.objects.get(subjects=row.subject_id).email))
        is_yes = row.event in {"grant", "confirm"} and row.purpose.startswith("mkt.")
        if is_yes and (row.evidence_level == 3 or (row.evidence_level == 2 and row.source == "paper_form")):
            found.discard(row.address_hmac)
    return found - {""}


@cases(60)
@given(world=worlds)
def test_nobody_gets_advertising_but_those_whom_the_rules_name(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime, world: dict[str, Any]
) -> None:
    """I-01 with 1.4, I-04, I-11, I-23, I-24, I-29: over any ledger, addresses shared or not, and whatever was sent before."""
    fake.delivered.clear()
    with override_settings(PUBLIC_BASE_URL="http://salon.example"), transaction.atomic():
        clients = build(world, now)
        lately: dict[str, list[int]] = {}
        for one in world["earlier"]:
            if one["kind"] in MARKETING and one["state"] in {"accepted", "unknown", "closed_unknown", "bounced"}:
                lately.setdefault(one["email"], []).append(one["minutes_ago"])
        stopped = stopped_addresses()
        allowed = [client for client in clients if may_get(client, world, stopped, lately)]
        dispatch.deliver_due(now=now)
        got = list(fake.recipients)
        assert len(got) == len(set(got)), "an address had it twice"
        assert set(got) == {client.email for client in allowed}
        for message in Message.objects.filter(state=State.ACCEPTED, campaign__isnull=False):
            assert message.client_id in {client.pk for client in allowed}
        for envelope in fake.delivered:
            one_working_way_out(envelope.raw.decode())
        transaction.set_rollback(True)


@cases(25)
@given(world=worlds)
def test_nobody_who_was_never_asked_gets_advertising(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime, owner: User, world: dict[str, Any]
) -> None:
    """I-04: no event, no advertising, whoever it is, wherever the salon is, and whether the page or a row asks for it."""
    fake.delivered.clear()
    with override_settings(PUBLIC_BASE_URL="http://salon.example"), transaction.atomic():
        clients = build({**world, "people": [replace(person, said=[]) for person in world["people"]]}, now)
        with pytest.raises(Refused):
            marketing.send(*clients, by=owner, now=now)
        for _ in range(2):
            planner.plan(now)
            dispatch.deliver_due(now=now)
        assert not ConsentEvent.objects.exists()
        assert fake.delivered == []
        transaction.set_rollback(True)


@cases(60)
@given(world=worlds)
def test_letting_offers_go_to_existing_clients_adds_the_named_cases_and_changes_nothing_else(
    sending_salon: Salon, now: dt.datetime, world: dict[str, Any]
) -> None:
    """I-01: each answer of the gate with the switch off, and the same with it on."""

    def decisions() -> dict[int, gate.Decision]:
        waiting = Message.objects.filter(campaign__isnull=False).select_related("client", "campaign")
        found = [(message.client_id or 0, facts.gather(message, facts.look(message))) for message in waiting]
        return {pk: gate.decide(one, now) for pk, one in found}

    with override_settings(PUBLIC_BASE_URL="http://salon.example"), transaction.atomic():
        clients = build({**world, "to_existing": False}, now)
        off = decisions()
        ExistingRule.objects.create(country=world["country"], channel="email", switched_on_at=now)
        on = decisions()
        for client in clients:
            ledger = [
                {**row, "origin": row["subject_id"], "voids": row["voids_id"]}
                for row in ConsentEvent.objects.filter(subject__client=client).values()
            ]
            address = addresses.hash_of("email", client.email)
            verdict = fold_oracle.verdict(ledger, "mkt.promotion", "email", address, MINIMUM[world["country"]])
            is_named = verdict == "soft_opt_in" and may_get_as_existing(client, {**world, "to_existing": True}, ledger, address)
            before, after = off[client.pk], on[client.pk]
            if not is_named:
                assert before == after
                continue
            assert isinstance(before, gate.Refuse)
            left = tuple(reason for reason in before.reasons if reason != "consent_missing")
            assert (after.reasons if isinstance(after, gate.Refuse) else ()) == left, "that one reason goes, and no other"
        transaction.set_rollback(True)


def one_working_way_out(raw: str) -> None:
    """I-14: one link in the text, the same in the header with https first, and the header that makes it one click."""
    head = raw.partition("\r\n\r\n")[0]
    mail = email.message_from_string(raw, policy=email.policy.default)
    links = re.findall(r"https?://\S+", letters.text_of(mail))
    assert len(links) == 1
    assert re.findall(r"https?://[^\"\s<]+", letters.html_of(mail)) == links
    assert f"\r\nList-Unsubscribe: <{links[0]}>\r\n" in f"{head}\r\n"
    assert links[0].startswith("https://salon.example/u/")
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in f"{head}\r\n"


def test_the_worlds_are_not_all_refusals(sending_salon: Salon, fake: FakeProvider, now: dt.datetime) -> None:
    """The control: with a plain Yes it leaves, so the walk above can fail."""
    yes = {"event": "grant", "purpose": "mkt.promotion", "channel": "email", "source": "preference_page", "hours_ago": 5}
    world = {"people": [Person(EMAILS[0], said=[yes])], "earlier": [], "country": "DE", "public_url": "https://salon.example",
             "to_existing": False}  # fmt: skip
    (client,) = build(world, now)
    assert may_get(client, world, stopped_addresses(), {})
    dispatch.deliver_due(now=now)
    assert fake.recipients == [EMAILS[0]]
    one_working_way_out(fake.delivered[0].raw.decode())


def test_a_message_about_a_visit_has_no_way_out_of_advertising(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime
) -> None:
    """I-14, the other side."""
    factories.appointment(start_at=now + dt.timedelta(days=3), time_set_at=now - dt.timedelta(hours=1))
    planner.plan(now)
    dispatch.deliver_due(now=now)
    raw = fake.delivered[0].raw.decode()
    assert "List-Unsubscribe" not in raw
