"""Any cards with any ledger, merged and given back (I-35, I-36, I-37). The oracle of the fold is the tests' own."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clients import consent, contacts, records, tags
from clients.merging import merges, undoing
from clients.models import Address, Blacklisting, Client, ConsentEvent
from salon.core.models import Salon, User
from tests import factories
from tests.clients import merging_world
from tests.clients.merging_world import MARKETING, PAIRS
from tests.generated import cases

pytestmark = pytest.mark.django_db
ANY = cases(25)
EMAILS = ["", "one@example.org", "two@example.org", "three@example.org"]
PHONES = ["", "+33612447890", "+33612447891"]

people = st.fixed_dictionaries(
    {
        "first_name": st.sampled_from(["Ann", "ANN", "Änn"]),
        "last_name": st.sampled_from(["", "Lee"]),
        "email": st.sampled_from(EMAILS),
        "phone": st.sampled_from(PHONES),
        "note": st.sampled_from(["", "Likes tea", "Allergic"]),
        "city": st.sampled_from(["", "Lyon", "Paris"]),
        "birth": st.sampled_from([(None, None, None), (4, 4, None), (4, 4, 1991), (5, 4, 1991)]),
        "tags": st.lists(st.sampled_from(["Regular", "Bridal"]), unique=True),
        "further": st.sampled_from(["", "+33612447890", "+33612447899"]),
        "state": st.sampled_from(["", "", "blacklisted_at", "inactive_at", "marketing_paused_until"]),
    }
)
events = st.tuples(
    st.sampled_from(["mkt.promotion", "mkt.birthday", "svc.reminder", "profiling", "health_notes"]),
    st.sampled_from(["email", "sms"]),
    st.sampled_from(
        ["grant", "confirm", "pending", "withdraw", "deny", "object", "expire", "provider_start", "everything", "nothing"]
    ),
    st.sampled_from(["in_person", "paper_form", "preference_page", "import"]),
    st.integers(0, 30),
    st.sampled_from([*EMAILS[1:], ""]),
)
ledgers = st.lists(events, max_size=6)


def make(who: dict[str, Any], ledger: Sequence[tuple[Any, ...]], by: User) -> Client:
    day, month, year = who["birth"]
    names = ("first_name", "last_name", "email", "phone", "note", "city")
    card = records.add(by=by, birth_day=day, birth_month=month, birth_year=year, **{name: who[name] for name in names})
    for tag in who["tags"]:
        tags.add(card, name=tag, by=by)
    if who["further"] and who["further"] != who["phone"]:
        contacts.add(card, channel="sms", address=who["further"], label="", by=by)
    if who["state"]:
        now = timezone.now()
        Client.objects.filter(pk=card.pk).update(**{who["state"]: now})
        if who["state"] == "blacklisted_at":
            Blacklisting.objects.create(client=card, reason="other", at=now)
    for step in ledger:
        say(card, *step)
    return Client.objects.get(pk=card.pk)


def say(card: Client, purpose: str, channel: str, event: str, source: str, days: int, address: str) -> None:
    """Write one line, some days ago, about the card's address or another one."""
    said: dict[str, Any] = {"purpose": purpose, "channel": channel, "event": event, "source": source}
    if purpose in {"profiling", "health_notes"}:
        said["channel"] = ""
    elif channel == "email" and address and event in {"grant", "confirm", "pending"}:
        said["address"] = address
    if event in {"everything", "nothing"}:
        said |= {"purpose": "*" if event == "nothing" else "**", "channel": "*", "event": "object"}
    now = timezone.now()
    consent.record(card, now=now, effective_at=now - dt.timedelta(days=days), **said)


def states(card: Client) -> dict[tuple[str, str], str]:
    found = merging_world.states(card)
    return {pair: found.get(pair, "unknown") for pair in PAIRS}


def address(card: Client, channel: str) -> str:
    return {"email": card.email, "sms": str(card.phone or ""), "": ""}[channel]


@ANY
@given(
    who=st.lists(st.tuples(people, ledgers), min_size=2, max_size=3),
    choice=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    since=st.sampled_from(["nothing", "booked", "tagged"]),
)
def test_no_merge_amplifies_loses_a_no_or_depends_on_the_side_and_every_undo_gives_everything_back(
    salon: Salon, owner: User, who: list[tuple[dict[str, Any], Any]], choice: tuple[int, int], since: str
) -> None:
    with transaction.atomic():
        cards = [make(one, ledger, owner) for one, ledger in who]
        before, had = merging_world.rows(), {card.pk: states(card) for card in cards}
        stops, count = list(Address.objects.values_list("hmac", "scope").order_by("pk")), merging_world.ledger()
        chosen = {"email": cards[choice[0] % len(cards)].pk, "phone": cards[choice[1] % len(cards)].pk}
        chosen = {name: pk for name, pk in chosen.items() if any(getattr(card, name) for card in cards if card.pk == pk)}
        if len(chosen) == 2 and since == "nothing":
            seen = []
            for main in (cards[0], cards[-1]):
                done = join(cards, main, chosen, owner)
                seen.append(states(main))
                undoing.undo(done, by=owner, now=timezone.now())
            assert seen[0] == seen[1], "I-35"
            count = merging_world.ledger()
        done = join(cards, cards[0], chosen, owner)
        left = Client.objects.get(pk=cards[0].pk)
        holds = ConsentEvent.objects.filter(event="merge_hold", subject__client=left, voided_by=None).count()
        assert merging_world.ledger() == count + holds, "I-37: nothing is deleted, and nothing but holds is written"
        assert list(Address.objects.values_list("hmac", "scope").order_by("pk")) == stops
        judge(cards, left, had)
        visit = factories.appointment(client=left) if since == "booked" else None
        if since == "tagged":
            tags.add(left, name="Since", by=owner)
        undoing.undo(done, by=owner, now=timezone.now())
        after = merging_world.rows()
        if visit is not None:
            assert after["appointments.appointment"].pop(visit.pk)["client_id"] == left.pk
            for table, row in (("service", visit.service), ("staff", visit.staff)):
                after[f"appointments.{table}"].pop(row.pk)
            after["appointments.workinghours"] = before["appointments.workinghours"]
        if since == "tagged":
            after["clients.tag"] = before["clients.tag"]
            after["clients.client_tags"].pop(max(after["clients.client_tags"]))
        assert merging_world.differences(before, after) == []
        assert {card.pk: states(card) for card in cards} == had
        transaction.set_rollback(True)


def join(cards: Sequence[Client], main: Client, chosen: dict[str, int], by: User) -> Any:
    return merges.merge([card.pk for card in cards], main=main.pk, by=by, now=timezone.now(), chosen=chosen)


def judge(cards: Sequence[Client], left: Client, had: dict[int, dict[tuple[str, str], str]]) -> None:
    """Say by the words of the rule what may be, and by the oracle of the fold what the ledger says."""
    now = states(left)
    assert now == merging_world.folded(left, email=left.email, phone=str(left.phone or ""))
    for pair in PAIRS:
        was = {card.pk: had[card.pk][pair] for card in cards}
        if "withdrawn" in was.values():
            assert now[pair] == "withdrawn", f"a No of either card wins: {pair} {was}"
        if now[pair] == "granted" and pair[0] in (*MARKETING, "profiling", "health_notes", "photos"):
            owners = [card for card in cards if was[card.pk] == "granted"]
            assert any(address(card, pair[1]) == address(left, pair[1]) for card in owners), f"I-36: {pair} {was}"
    blacklisted = [card for card in cards if card.blacklisted_at]
    assert bool(left.blacklisted_at) == bool(blacklisted)
    assert bool(left.inactive_at) == all(card.inactive_at for card in cards)
    kept = set(left.contacts.values_list("address", flat=True)) | {left.email, str(left.phone or "")}
    assert {value for card in cards for value in (card.email, str(card.phone or "")) if value} <= kept


@ANY
@given(ledger=ledgers, since=st.lists(events, min_size=1, max_size=4))
def test_a_refusal_since_the_merge_never_ends_with_its_undo(
    salon: Salon, owner: User, ledger: Any, since: list[tuple[Any, ...]]
) -> None:
    with transaction.atomic():
        base = {"last_name": "", "note": "", "city": "", "birth": (None, None, None), "tags": [], "further": "", "state": ""}
        one = make({**base, "first_name": "Ann", "email": EMAILS[1], "phone": PHONES[1]}, ledger, owner)
        two = make({**base, "first_name": "Ann", "email": EMAILS[2], "phone": PHONES[2]}, [], owner)
        done = join([one, two], one, {}, owner)
        for step in since:
            say(Client.objects.get(pk=one.pk), step[0], step[1], step[2], step[3], 0, step[5])
        refused = [pair for pair in PAIRS if states(one)[pair] == "withdrawn"]
        undoing.undo(done, by=owner, now=timezone.now())
        for pair in refused:
            noes = [step for step in since if step[2] in {"withdraw", "deny", "object", "expire", "everything", "nothing"}]
            if any(covers(step, pair) for step in noes):
                assert states(two)[pair] == "withdrawn", pair
                assert states(one)[pair] == "withdrawn"
        transaction.set_rollback(True)


def covers(step: tuple[Any, ...], pair: tuple[str, str]) -> bool:
    purpose, channel, event = step[:3]
    if event == "everything":
        return pair[0].startswith(("mkt.", "svc."))
    if event == "nothing":
        return pair[0].startswith("mkt.")
    return bool(pair[0] == purpose and pair[1] in {channel, ""})
