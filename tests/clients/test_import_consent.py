"""I-38, judged by an oracle of its own: over random ledgers and random lists an import never opens anything.

The oracle reads the text of the list by itself, with rules written from the promise and not from the plan.
"""

import csv
import datetime as dt
import io
import re
import unicodedata

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clients import answers, consent, fold, invariants
from clients.importing import jobs
from clients.models import Client, ConsentEvent
from salon.core.models import User
from tests import factories
from tests.generated import cases

PEOPLE = [("Ann", "Lee", "0612345601"), ("Ben", "Low", "0612345602"), ("Cy", "Ng", "0612345603"), ("Dä", "Öz", "0612345604")]
EVENTS = [
    ("grant", "paper_form"), ("grant", "in_person"), ("withdraw", "phone"), ("object", "one_click_post"), ("pending", "widget"),
    ("import_claim", "import"), ("address_changed", "other"), ("provider_stop", "sms_reply"), ("confirm", "preference_page"),
]  # fmt: skip
LEDGER = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(EVENTS), st.sampled_from(fold.CHANNELS), st.sampled_from(consent.MARKETING)),
    max_size=14,
)
WHO = st.integers(0, 5)
SAID = st.sampled_from(["", "yes", "no", "maybe", "ja", "non"])
ROWS = st.lists(st.tuples(WHO, st.booleans(), st.booleans(), SAID, SAID), min_size=1, max_size=10)
Key = tuple[int, str, str]


def a_list(rows: list[tuple[int, bool, bool, str, str]]) -> str:
    """Return a list of known and unknown people; some rows lack the phone, some have a faulty e-mail."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["First name", "Last name", "Phone", "E-mail", "Newsletter", "SMS"])
    for who, has_phone, is_faulty, by_email, by_sms in rows:
        first, last, phone = PEOPLE[who] if who < 4 else ("New", f"Person{who}", f"061234561{who}")
        email = f"{who}@" if is_faulty else f"p{who}@example.org"
        writer.writerow([first, last, phone if has_phone else "", email, by_email, by_sms])
    return out.getvalue()


def open_keys() -> set[Key]:
    """Everything that is granted or waits for a link, folded afresh from the ledger."""
    return {
        (client.pk, purpose, channel)
        for client in Client.objects.all()
        for purpose in consent.MARKETING
        for channel in fold.CHANNELS
        if consent.reading(client, purpose, channel).state in {"granted", "soft_opt_in", "pending"}
    }


def named_by_a_no(text: str, cards: list[Client]) -> set[tuple[int, str]]:
    """Oracle: the known cards whose own name and address stand in a row with a no, by channel."""

    def name(first: str, last: str) -> str:
        plain = unicodedata.normalize("NFKD", f"{first} {last}".casefold())
        return "".join(char for char in plain if not unicodedata.combining(char))

    found = set()
    for row in csv.DictReader(io.StringIO(text)):
        digits = re.sub(r"\D", "", row["Phone"])[-9:]
        for card in cards:
            is_same_address = (digits and str(card.phone).endswith(digits)) or (row["E-mail"] == card.email != "")
            if is_same_address and name(row["First name"], row["Last name"]) == name(card.first_name, card.last_name):
                found |= {(card.pk, "email")} if row["Newsletter"] in {"no", "non"} else set()
                found |= {(card.pk, "sms")} if row["SMS"] in {"no", "non"} else set()
    return found


class ImportAndConsent(TestCase):
    """Generated ledgers, generated lists."""

    @cases(25)
    @given(LEDGER, ROWS)
    def test_no_list_opens_anything_and_each_no_counts(
        self, ledger: list[tuple[int, tuple[str, str], str, str]], rows: list[tuple[int, bool, bool, str, str]]
    ) -> None:
        factories.salon(language="en", country="FR")
        cards = [
            factories.client(first_name=first, last_name=last, phone=f"+33{phone[1:]}", email=f"p{number}@example.org")
            for number, (first, last, phone) in enumerate(PEOPLE)
        ]
        for who, (event, source), channel, purpose in ledger:
            about = purpose if event in {"grant", "pending", "import_claim", "confirm"} else "*"
            consent.record(cards[who], purpose=about, channel=channel, event=event, source=source)
        text = a_list(rows)
        before, said_no = open_keys(), named_by_a_no(text, cards)
        first = jobs.bring_in(text.encode(), "list.csv", by=None, now=timezone.now())
        after = open_keys()
        assert after <= before, "nothing was opened"
        assert not {key for key in after if (key[0], key[2]) in said_no}, "each no counts"
        assert not ConsentEvent.objects.filter(source="import").exclude(event__in=["withdraw", "import_claim"]).exists()
        written = ConsentEvent.objects.count()
        jobs.bring_in(text.encode(), "list.csv", by=None, now=timezone.now())
        assert ConsentEvent.objects.count() == written, "twice is once"
        assert open_keys() == after
        if first.cards.exists():
            jobs.finish(jobs.undo(first, by=None, now=timezone.now()))
            assert open_keys() <= after, "an undo opens nothing either"
        assert list(invariants.faults()) == []

    def test_the_control_the_oracle_sees_a_no_that_did_not_count(self) -> None:
        factories.salon(language="en", country="FR")
        card = factories.client(first_name="Ann", last_name="Lee", phone="+33612345601", email="p0@example.org")
        consent.record(card, purpose="mkt.promotion", channel="email", event="grant", source="paper_form")
        text = a_list([(0, True, True, "no", "")])
        assert named_by_a_no(text, [card]) == {(card.pk, "email")}
        assert open_keys() == {(card.pk, "mkt.promotion", "email")}


def bring(text: str) -> None:
    jobs.bring_in(text.encode(), "list.csv", by=None, now=timezone.now())


@pytest.mark.django_db
def test_a_no_of_the_list_stays_when_a_slip_before_it_is_undone(reception: User) -> None:
    now = timezone.now()
    ann = factories.client(first_name="Ann", last_name="Lee", email="ann@example.org")
    key = {"purpose": "mkt.promotion", "channel": "email"}
    consent.record(ann, event="grant", source="paper_form", by=reception, now=now - dt.timedelta(days=3), **key)
    slip = answers.set_channel(ann, "email", "no", by=reception, now=now - dt.timedelta(minutes=2))
    bring("First name,Last name,E-mail,Newsletter\nAnn,Lee,ann@example.org,no\n")
    consent.void_many([event.pk for event in slip], by=reception, now=timezone.now())
    assert consent.standing(ann, "mkt.promotion", "email") == "withdrawn"
    written = ConsentEvent.objects.count()
    bring("First name,Last name,E-mail,Newsletter\nAnn,Lee,ann@example.org,no\n")
    assert ConsentEvent.objects.count() == written, "the same list again changes nothing"


@pytest.mark.django_db
def test_a_no_of_somebody_new_stops_who_has_the_same_address(reception: User) -> None:
    ann = factories.client(first_name="Amélie", last_name="Durand", email="durand@example.org")
    answers.set_channel(ann, "email", "yes", how="paper_form", by=reception)
    bring("Last name,E-mail,Newsletter\nDurand,durand@example.org,no\n")
    assert Client.objects.count() == 2
    assert consent.standing(ann, "mkt.promotion", "email") == "withdrawn"
