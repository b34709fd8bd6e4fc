"""Two to five cards made one, and given back."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from appointments import booking
from appointments.models import Appointment, UsualStaff
from clients import (
    blacklist,
    changes,
    consent,
    contacts,
    deletions,
    health,
    inactivity,
    invariants,
    links,
    records,
    reversal,
    search,
    survivors,
    tags,
)
from clients.erasure import act
from clients.exporting import people
from clients.exporting.people import Wanted
from clients.merging import fields, merges, pointers, stragglers, undoing
from clients.models import (
    Address,
    Client,
    ClientContact,
    ClientLink,
    ConsentEvent,
    Deletion,
    DuplicatePair,
    HealthNote,
    Merge,
    MergedHealthNote,
    OpenedCard,
    Subject,
)
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from tests import factories
from tests.clients import merging_world

pytestmark = pytest.mark.django_db
AMELIE: dict[str, Any] = {
    "first_name": "Amélie", "last_name": "Bertrand", "phone": "+33688210411", "email": "amelie@example.org", "language": "fr",
    "note": "Allergic to PPD", "birth_day": 4, "birth_month": 4, "birth_year": 1991,
}  # fmt: skip
OTHER: dict[str, Any] = {
    "first_name": "AMELIE", "last_name": "Bertrand", "phone": "+33612447890", "email": "a.bertrand@example.com", "language": "fr",
    "note": "Comes with her daughter", "street": "12 rue du Lac", "postcode": "69006", "city": "Lyon", "country": "FR",
}  # fmt: skip


def pair(by: User, **of_second: Any) -> tuple[Client, Client]:
    one, two = factories.cards([AMELIE, {**OTHER, **of_second}], by=by)
    return one, two


def join(one: Client, *others: Client, by: User, **more: Any) -> Merge:
    ids = [one.pk, *(other.pk for other in others)]
    return merges.merge(ids, main=one.pk, by=by, now=timezone.now(), **more)


def fresh(client: Client) -> Client:
    return Client.objects.get(pk=client.pk)


# --- what stands on the card --------------------------------------------------------------------------------------


def test_the_best_of_both_cards_is_on_the_one_that_is_left(owner: User) -> None:
    one, two = pair(owner)
    join(one, two, by=owner)
    left = fresh(one)
    assert (left.first_name, left.email, str(left.phone)) == ("Amélie", "amelie@example.org", "+33688210411")
    assert (left.birth_year, left.street, left.city) == (1991, "12 rue du Lac", "Lyon")
    assert left.note.startswith("Allergic to PPD\n\n")
    assert left.note.endswith("Comes with her daughter")
    assert "AMELIE Bertrand" in left.note


def test_what_was_chosen_stands_and_what_was_not_stays_as_a_further_contact_that_the_search_finds(owner: User) -> None:
    one, two = pair(owner)
    join(one, two, by=owner, chosen={"email": two.pk, "first_name": two.pk})
    left = fresh(one)
    assert (left.first_name, left.email) == ("AMELIE", "a.bertrand@example.com")
    kept = set(ClientContact.objects.filter(client=one).values_list("channel", "address"))
    assert kept == {("email", "amelie@example.org"), ("sms", "+33612447890")}
    for text in ("06 12 44 78 90", "amelie@example.org", "06 88 21"):
        assert list(search.find(text)) == [one]


def test_a_choice_of_an_empty_field_is_no_choice(owner: User) -> None:
    one, two = pair(owner, email="")
    join(one, two, by=owner, chosen={"email": two.pk, "birth": two.pk})
    assert (fresh(one).email, fresh(one).birth_day) == ("amelie@example.org", 4)


def test_only_what_differs_and_is_filled_on_both_asks(owner: User) -> None:
    one, two = pair(owner, birth_day=4, birth_month=4)
    kinds = {found.group.name: found.kind for found in fields.compare([one, two], {})}
    assert [name for name, kind in kinds.items() if kind is fields.Kind.CHOICE] == ["first_name", "phone", "email"]
    assert kinds["birth"] is fields.Kind.SAME, "one of them knows the year"
    assert kinds["address"] is fields.Kind.ONE
    two.birth_year = 1990
    assert fields.has_other_birthday([one, two])


def test_the_stricter_state_wins_and_a_card_is_inactive_only_if_all_were(owner: User) -> None:
    one, two = pair(owner)
    day = timezone.now() - dt.timedelta(days=9)
    Client.objects.filter(pk=two.pk).update(
        inactive_at=day, inactive_reason="moved", marketing_paused_until=day + dt.timedelta(days=90)
    )
    blacklist.add(two, reason="unpaid", by=owner, now=day)
    done = join(one, two, by=owner)
    left = fresh(one)
    assert (left.blacklisted_at, left.inactive_at, left.inactive_reason) == (day, None, "")
    assert left.marketing_paused_until == day + dt.timedelta(days=90)
    undoing.undo(done, by=owner, now=timezone.now())
    Client.objects.filter(pk=one.pk).update(inactive_at=day + dt.timedelta(days=1))
    join(one, two, by=owner)
    assert fresh(one).inactive_at == day


def test_the_card_that_was_taken_in_is_empty_and_found_by_nothing(owner: User) -> None:
    one, two = pair(owner)
    join(one, two, by=owner)
    gone = fresh(two)
    erased = {name for name in Client.Privacy.erase if name not in {"tags", "language"}}
    assert {name: getattr(gone, name) for name in erased if getattr(gone, name)} == {}
    assert (gone.merged_into_id, gone.erased_at is not None, gone.tags.count()) == (one.pk, True, 0)
    assert two not in Client.objects.active()
    assert not Client.objects.active().filter(pk=two.pk).exists()
    assert survivors.of(two.pk) == one.pk


def test_five_cards_become_one_and_six_do_not(owner: User) -> None:
    cards = factories.cards([{**AMELIE, "phone": f"+3361244789{number}"} for number in range(6)], by=owner)
    for some in ([cards[0]], cards):
        with pytest.raises(Refused, match="2 to 5"):
            merges.merge([card.pk for card in some], main=some[0].pk, by=owner, now=timezone.now())
    done = join(*cards[:5], by=owner)
    assert done.taken_in == [card.pk for card in cards[1:5]]
    assert Client.objects.active().count() == 2
    undoing.undo(done, by=owner, now=timezone.now())
    assert Client.objects.active().count() == 6


def test_a_card_that_is_gone_restricted_or_changed_since_is_not_merged(owner: User) -> None:
    one, two = pair(owner)
    versions = {one.pk: one.version, two.pk: two.version}
    records.edit(two, by=owner, version=two.version, city="Paris")
    with pytest.raises(merges.Changed):
        join(one, two, by=owner, versions=versions)
    for field in ("erased_at", "restricted_at"):
        Client.objects.filter(pk=two.pk).update(**{field: timezone.now()})
        with pytest.raises(Refused, match="not in the book"):
            join(one, two, by=owner)
        Client.objects.filter(pk=two.pk).update(**{field: None})
    assert Client.objects.active().count() == 2


# --- rows of every app --------------------------------------------------------------------------------------------


def furnish(one: Client, two: Client, by: User) -> None:
    """Give both cards rows in every table that points at a client, some that clash and some that do not."""
    now, third = timezone.now(), records.add(by=by, first_name="Third")
    staff, other_staff = factories.staff(), factories.staff(name="Marco")
    for number, card in enumerate((one, two)):
        day = dt.timedelta(days=number + 1)
        factories.appointment(client=card, staff=staff, start_at=now + day)
        factories.appointment(client=card, staff=other_staff, start_at=now - day, state="done")
        tags.add(card, name="Regular", by=by)
        contacts.add(card, channel="sms", address="+33144556677", label="work", by=by)
        links.add(card, third, kind="family", by=by)
        OpenedCard.objects.create(user=by, client=card)
        UsualStaff.objects.create(client=card, staff=(staff, other_staff)[number])
        factories.signed_form(card)
        health.agree(card, how="in_person", by=by, now=now)
        health.write(card, text=f"Note {number}", patch_tested_on=dt.date(2026, 1, number + 1), version=0, by=by, now=now)
    tags.add(two, name="Bridal", by=by)
    contacts.add(two, channel="email", address="work@example.org", label="", by=by)
    links.add(one, two, kind="partner", by=by)


def test_every_row_goes_along_and_everything_comes_back_as_it_was(owner: User) -> None:
    one, two = pair(owner)
    furnish(one, two, owner)
    before, said = merging_world.rows(), [merging_world.states(card) for card in (one, two)]
    takings = takings_by_day()
    done = join(one, two, by=owner)
    for pointer in pointers.every():
        assert not pointer.rows(**{pointer.field.name: two.pk}).exists(), pointer.label
    assert one.appointments.count() == 4
    assert set(one.tags.values_list("name", flat=True)) == {"Regular", "Bridal"}
    assert ClientLink.objects.count() == 1
    assert HealthNote.objects.get().text.startswith("Note 0\n\n")
    assert HealthNote.objects.get().text.endswith("Note 1")
    assert HealthNote.objects.get().patch_tested_on == dt.date(2026, 1, 2)
    assert takings_by_day() == takings
    undoing.undo(done, by=owner, now=timezone.now())
    assert merging_world.differences(before, merging_world.rows()) == []
    assert [merging_world.states(card) for card in (one, two)] == said
    assert takings_by_day() == takings


def takings_by_day() -> list[tuple[Any, ...]]:
    rows = Appointment.objects.values_list("start_at__date", "service", "staff", "state")
    return sorted(rows.annotate(count=Count("pk"), sum=Sum("price")))


def test_what_stands_on_the_cards_is_sealed_in_the_snapshot_and_deleted_after_30_days(owner: User) -> None:
    one, two = pair(owner)
    furnish(one, two, owner)
    done = join(one, two, by=owner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT snapshot FROM clients_merge")
        raw = bytes(cursor.fetchone()[0])
        cursor.execute("SELECT text FROM clients_mergedhealthnote")
        texts = [text for (text,) in cursor.fetchall()]
    assert b"daughter" not in raw
    assert [text for text in texts if "Note" in text] == []
    assert stragglers.forget(done.at + merges.UNDO_FOR - dt.timedelta(seconds=1)) == 0
    assert stragglers.forget(done.at + merges.UNDO_FOR) == 1
    assert not MergedHealthNote.objects.exists()


def test_what_comes_late_to_a_card_that_is_gone_is_brought_home_and_goes_back_with_an_undo(owner: User) -> None:
    one, two = pair(owner)
    done = join(one, two, by=owner)
    late = factories.appointment(client=two)
    OpenedCard.objects.create(user=owner, client=two)
    assert stragglers.sweep(timezone.now()) == 1
    assert stragglers.sweep(timezone.now()) == 0
    assert Appointment.objects.get(pk=late.pk).client_id == one.pk
    undoing.undo(done, by=owner, now=timezone.now())
    assert Appointment.objects.get(pk=late.pk).client_id == two.pk


def test_a_visit_booked_for_a_card_that_is_gone_is_that_of_the_card_that_took_it_in(owner: User) -> None:
    one, two = pair(owner)
    join(one, two, by=owner)
    service, staff = factories.service(), factories.staff()
    for card in (two, fresh(two)):  # as a page still has it, and as it is now
        start_at = timezone.now() + dt.timedelta(days=3, hours=card.version)
        visit = booking.book(client=card, staff=staff, service=service, start_at=start_at, by=owner, now=timezone.now())
        assert visit.client_id == one.pk


# --- consent ------------------------------------------------------------------------------------------------------


def said(client: Client, event: str, *, channel: str = "email", purpose: str = "mkt.promotion", **more: Any) -> ConsentEvent:
    return consent.record(client, purpose=purpose, channel=channel, event=event, source=more.pop("source", "paper_form"), **more)


def test_a_no_wins_over_a_later_yes_of_the_other_card(owner: User) -> None:
    one, two = pair(owner)
    said(one, "withdraw", source="in_person")
    said(two, "grant")
    for main, other in ((one, two), (two, one)):
        done = join(main, other, by=owner, chosen={"email": two.pk})
        assert consent.standing(main, "mkt.promotion", "email") == "withdrawn"
        undoing.undo(done, by=owner, now=timezone.now())
    assert consent.standing(one, "mkt.promotion", "email") == "withdrawn"
    assert consent.standing(two, "mkt.promotion", "email") == "granted"


def test_a_yes_stays_with_its_address_and_no_further(owner: User) -> None:
    one, two = pair(owner)
    said(two, "grant")
    done = join(one, two, by=owner)
    assert consent.standing(one, "mkt.promotion", "email") == "unknown", "it was said for the other address"
    undoing.undo(done, by=owner, now=timezone.now())
    join(one, two, by=owner, chosen={"email": two.pk})
    assert consent.standing(one, "mkt.promotion", "email") == "granted"


def test_two_ledgers_never_add_up_to_a_yes_that_neither_card_had(owner: User) -> None:
    one, two = pair(owner)
    said(one, "grant", address="a.bertrand@example.com")
    assert consent.standing(one, "mkt.promotion", "email") == "unknown"
    count = merging_world.ledger()
    done = join(one, two, by=owner, chosen={"email": two.pk})
    assert consent.standing(one, "mkt.promotion", "email") == "withdrawn"
    assert ConsentEvent.objects.filter(event="merge_hold").count() == 1
    undoing.undo(done, by=owner, now=timezone.now())
    assert merging_world.ledger() == count + 2, "the hold and its void; nothing is ever taken out"
    assert [merging_world.states(card) for card in (one, two)] == [{}, {}]


def test_reminders_stay_off_if_one_card_had_them_off_and_on_if_none(owner: User) -> None:
    one, two = pair(owner)
    join_and_back = join(one, two, by=owner)
    assert consent.standing(one, "svc.reminder", "email") != "withdrawn"
    undoing.undo(join_and_back, by=owner, now=timezone.now())
    said(two, "withdraw", purpose="svc.reminder", source="in_person")
    said(one, "grant", purpose="svc.reminder", source="in_person")
    join(one, two, by=owner)
    assert consent.standing(one, "svc.reminder", "email") == "withdrawn"


def test_a_health_note_goes_when_one_card_said_no_and_comes_back_with_an_undo_while_the_yes_stands(owner: User) -> None:
    one, two = pair(owner)
    health.agree(one, how="in_person", by=owner, now=timezone.now())
    health.write(one, text="Asthma", patch_tested_on=None, version=0, by=owner, now=timezone.now())
    health.withdraw(two, by=owner, now=timezone.now())
    done = join(one, two, by=owner)
    assert not HealthNote.objects.exists()
    undoing.undo(done, by=owner, now=timezone.now())
    assert HealthNote.objects.get(client=one).text == "Asthma"


def test_a_client_who_takes_the_yes_to_a_health_note_back_ends_what_the_merge_keeps_of_it(owner: User) -> None:
    one, two = pair(owner)
    for card in (one, two):
        health.agree(card, how="in_person", by=owner, now=timezone.now())
        health.write(card, text="Asthma", patch_tested_on=None, version=0, by=owner, now=timezone.now())
    done = join(one, two, by=owner)
    assert MergedHealthNote.objects.count() == 2
    health.withdraw(fresh(one), by=owner, now=timezone.now())
    assert not MergedHealthNote.objects.exists()
    undoing.undo(done, by=owner, now=timezone.now())
    assert not HealthNote.objects.exists()


# --- undo ---------------------------------------------------------------------------------------------------------


def test_what_happened_since_stays_with_the_main_card(owner: User) -> None:
    one, two = pair(owner)
    done = join(one, two, by=owner)
    left = fresh(one)
    visit = factories.appointment(client=left)
    tags.add(left, name="New", by=owner)
    records.edit(left, by=owner, version=left.version, city="Paris", first_name="Amelia")
    said(left, "grant")
    undoing.undo(done, by=owner, now=timezone.now())
    left, back = fresh(one), fresh(two)
    assert Appointment.objects.get(pk=visit.pk).client_id == one.pk
    assert (left.first_name, left.city, left.street) == ("Amelia", "Paris", "12 rue du Lac"), "an address is one thing"
    assert (left.note, left.tags.get().name) == ("Allergic to PPD", "New")
    assert (back.first_name, back.city, back.note) == ("AMELIE", "Lyon", "Comes with her daughter")
    assert consent.standing(left, "mkt.promotion", "email") == "granted"
    assert consent.standing(back, "mkt.promotion", "email") == "unknown"


def test_a_refusal_that_came_since_counts_on_both_cards(owner: User) -> None:
    one, two = pair(owner)
    for card in (one, two):
        said(card, "grant")
        said(card, "grant", channel="sms")
    done = join(one, two, by=owner)
    said(fresh(one), "object", purpose="*", channel="*", source="one_click_post", actor_type="client")
    lapse = said(fresh(one), "withdraw", channel="sms", source="in_person", by=owner)
    consent.void(lapse, by=owner)
    undoing.undo(done, by=owner, now=timezone.now())
    for card in (one, two):
        assert consent.standing(card, "mkt.promotion", "email") == "withdrawn"
        assert consent.standing(card, "mkt.promotion", "sms") == "withdrawn", "the objection was to every channel"
        assert Address.objects.get(channel="email", hmac=consent.address_hash(fresh(card), "email")).scope == "marketing"
    again = ConsentEvent.objects.filter(subject__client=two, event="object")
    assert [(event.actor_type, event.actor_id, event.source) for event in again] == [("client", None, "one_click_post")]
    assert not ConsentEvent.objects.filter(subject__client=two, event="withdraw", source="in_person").exists(), "a slip is none"


def test_a_pause_and_a_restriction_that_came_since_hold_for_both(owner: User) -> None:
    one, two = pair(owner)
    done = join(one, two, by=owner)
    until = timezone.now() + dt.timedelta(days=30)
    Client.objects.filter(pk=one.pk).update(marketing_paused_until=until, restricted_at=timezone.now())
    undoing.undo(done, by=owner, now=timezone.now())
    assert fresh(one).marketing_paused_until == fresh(two).marketing_paused_until == until
    assert fresh(two).restricted_at is not None


def test_a_joined_client_is_one_since_the_oldest_card_and_no_card_forgets_its_own_day(owner: User, salon: Salon) -> None:
    one, two = pair(owner)
    Client.objects.filter(pk=two.pk).update(created_at=one.created_at - dt.timedelta(days=900))
    own = {card.pk: fresh(card).created_at for card in (one, two)}
    done = join(one, two, by=owner)
    assert survivors.since([fresh(one)]) == {one.pk: own[two.pk]}
    listed = [
        person for chunk in people.read(owner, salon, Wanted("everything"), [one.pk], now=timezone.now()) for person in chunk
    ]
    assert [person.card.created_at for person in listed] == [own[two.pk]]
    assert {card.pk: fresh(card).created_at for card in (one, two)} == own, "by this a card is known after a restore"
    undoing.undo(done, by=owner, now=timezone.now())
    assert survivors.since([fresh(one), fresh(two)]) == own


def test_of_merges_of_one_card_the_newest_is_undone_first(owner: User) -> None:
    one, two, three = *pair(owner), records.add(by=owner, first_name="Third", phone="+33611111111")
    visit = factories.appointment(client=two)
    before = merging_world.rows()
    first = join(one, two, by=owner)
    second = join(three, one, by=owner)
    first.refresh_from_db()
    assert first.winner_id == three.pk
    assert survivors.of(two.pk) == three.pk
    assert Appointment.objects.get(pk=visit.pk).client_id == three.pk
    with pytest.raises(Refused, match="newer merge first"):
        undoing.undo(first, by=owner, now=timezone.now())
    undoing.undo(second, by=owner, now=timezone.now())
    undoing.undo(first, by=owner, now=timezone.now())
    assert merging_world.differences(before, merging_world.rows()) == []
    with pytest.raises(Refused, match="already"):
        undoing.undo(first, by=owner, now=timezone.now())


def test_a_merge_of_an_erased_card_or_of_long_ago_is_not_undone(owner: User) -> None:
    one, two = pair(owner)
    done = join(one, two, by=owner)
    with pytest.raises(Refused, match="30 days"):
        undoing.undo(done, by=owner, now=done.at + merges.UNDO_FOR)
    Client.objects.filter(pk=one.pk).update(erased_at=timezone.now())
    with pytest.raises(Refused, match="deleted since"):
        undoing.undo(done, by=owner, now=timezone.now())
    assert fresh(two).first_name == ""


def test_both_are_in_the_audit_trail_without_a_word_of_what_stood_on_the_cards(owner: User) -> None:
    one, two = pair(owner)
    done = join(one, two, by=owner)
    undoing.undo(done, by=owner, now=timezone.now())
    events = AuditEvent.objects.filter(action__in=["client.merged", "client.unmerged"]).order_by("pk")
    assert [(event.action, event.subject_id, event.by, event.facts["cards"]) for event in events] == [
        ("client.merged", one.pk, owner, [two.pk]), ("client.unmerged", one.pk, owner, [two.pk]),
    ]  # fmt: skip


# --- a clash that nobody answered ---------------------------------------------------------------------------------


def test_a_clash_that_no_model_answers_refuses_the_merge_whole_and_names_the_table(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair(owner)
    staff = factories.staff()
    for card in (one, two):
        UsualStaff.objects.create(client=card, staff=staff)
    before = merging_world.rows()
    monkeypatch.delattr(UsualStaff, "Merging")
    with pytest.raises(Refused, match="usual staff"):
        join(one, two, by=owner)
    assert merging_world.differences(before, merging_world.rows()) == []


def test_money_is_given_back_to_the_cent(owner: User) -> None:
    one, two = pair(owner)
    factories.appointment(client=two, price=Decimal("42.05"), state="done", start_at=timezone.now() - dt.timedelta(days=2))
    done = join(one, two, by=owner)
    undoing.undo(done, by=owner, now=timezone.now())
    assert two.appointments.get().price == Decimal("42.05")


def test_new_lines_of_the_ledger_are_the_main_card_s_own_whichever_subject_is_older(owner: User) -> None:
    one, two = pair(owner)
    own = Subject.objects.get(client=two)
    join(two, one, by=owner)
    event = said(fresh(two), "withdraw")
    assert event.subject_id == own.pk


def test_a_card_that_is_to_be_deleted_is_not_merged(owner: User) -> None:
    one, two = pair(owner)
    Deletion.objects.create(client=two, erase_on=factories.today())
    with pytest.raises(Refused, match="to be deleted"):
        join(one, two, by=owner)
    Deletion.objects.all().delete()
    join(one, two, by=owner)


def test_a_card_on_its_way_out_is_not_parted(owner: User) -> None:
    one, two = pair(owner)
    done = join(one, two, by=owner)
    row = deletions.delete(fresh(one), is_asked=False, is_notice_wanted=False, by=owner, now=timezone.now())
    with pytest.raises(Refused, match="being deleted"):
        undoing.undo(done, by=owner, now=timezone.now())
    deletions.bring_back(row, by=owner, now=timezone.now())
    undoing.undo(done, by=owner, now=timezone.now())
    assert fresh(two).first_name == "AMELIE"


def test_a_place_on_the_blacklist_and_a_wish_to_hear_nothing_that_came_since_hold_for_both(owner: User) -> None:
    one, two = pair(owner)
    done = join(one, two, by=owner)
    now = timezone.now()
    blacklist.add(fresh(one), reason="unpaid", by=owner, now=now)
    inactivity.make_inactive(fresh(one), reason="asked", by=owner, now=now)
    undoing.undo(done, by=owner, now=now)
    for card in (fresh(one), fresh(two)):
        assert (card.blacklisted_at, card.inactive_at, card.inactive_reason) == (now, now, "asked")
        assert card.blacklistings.get().reason == "unpaid"


def test_the_blacklist_follows_the_rows_through_a_merge_and_every_undo(owner: User) -> None:
    one, two = pair(owner)
    now = timezone.now()
    earlier = now - dt.timedelta(days=9)
    blacklist.add(one, reason="unpaid", by=owner, now=earlier)
    run = blacklist.add_many([two.pk, factories.client().pk], reason="no_show", by=owner, now=now)
    done = join(two, one, by=owner)
    assert fresh(two).blacklisted_at == earlier
    assert reversal.undo(run, by=owner, now=now) == 2
    assert (fresh(two).blacklisted_at, two.blacklistings.count()) == (earlier, 1), "the other card's entry still holds"
    off = blacklist.lift_many([two.pk], by=owner, now=now)
    undoing.undo(done, by=owner, now=now)
    assert (fresh(one).blacklisted_at, fresh(two).blacklisted_at) == (None, None), "it was lifted while they were one"
    assert reversal.undo(off, by=owner, now=now) == 1
    assert list(invariants.faults()) == []


def test_a_yes_that_ends_with_a_merge_or_its_undo_is_told_to_other_systems(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = pair(owner)
    said(one, "grant")
    told: list[int] = []
    listener = changes.Listener(lambda changed, _refused: told.extend(changed), lambda *_given: None)
    monkeypatch.setattr(changes, "_listeners", [listener])
    done = join(one, two, by=owner, chosen={"email": two.pk})
    assert (consent.standing(one, "mkt.promotion", "email"), one.pk in told) == ("unknown", True)
    told.clear()
    undoing.undo(done, by=owner, now=timezone.now())
    assert (consent.standing(one, "mkt.promotion", "email"), one.pk in told) == ("granted", True)
    said(two, "grant")
    done = join(one, two, by=owner, chosen={"email": two.pk})
    told.clear()
    records.edit(fresh(one), by=owner, version=fresh(one).version, email="new@example.org")
    undoing.undo(done, by=owner, now=timezone.now())
    assert two.pk in told


def test_an_answer_about_a_card_that_goes_holds_for_the_one_that_stays(owner: User) -> None:
    one, two, third = *pair(owner), factories.client()
    for card, state in ((one, "open"), (two, "not_same")):
        low, high = sorted((card, third), key=lambda each: each.pk)
        DuplicatePair.objects.create(low=low, high=high, score=80, band="likely", reasons=["phone"], state=state)
    before = merging_world.rows()
    done = join(one, two, by=owner)
    assert list(DuplicatePair.objects.values_list("low", "high", "state")) == [(one.pk, third.pk, "not_same")]
    undoing.undo(done, by=owner, now=timezone.now())
    assert merging_world.differences(before, merging_world.rows()) == []


def test_an_undo_links_nobody_with_who_is_gone_and_follows_who_was_merged(owner: User) -> None:
    one, two, gone, moved, home = *pair(owner), factories.client(), factories.client(), factories.client()
    for third in (gone, moved):
        for card in (one, two):
            links.add(card, third, kind="family", by=owner)
        DuplicatePair.objects.create(low=two, high=third, score=80, band="likely", reasons=["phone"])
    done = join(one, two, by=owner)
    join(home, moved, by=owner)
    act.erase(gone, ground="asked", by=owner, now=timezone.now())
    undoing.undo(done, by=owner, now=timezone.now())
    assert set(ClientLink.objects.values_list("client", "other")) == {(one.pk, home.pk), (two.pk, home.pk)}
    assert list(DuplicatePair.objects.values_list("low", "high")) == [(two.pk, home.pk)]
