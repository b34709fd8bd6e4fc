"""What staff record on the card's front: Yes with its proof, No at once, Undo, and what only the client may change."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import addresses, answers, consent, fold, grid, invariants, ledger, records
from clients.answers import Answer
from clients.models import Address, Client, ConsentEvent, Standing
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories, people

pytestmark = pytest.mark.django_db


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(
        by=reception, first_name="Amélie", last_name="B", phone="+33688210411", email="amelie@example.org", language="de"
    )


def answer(client: Client, channel: str = "email") -> Answer:
    assert list(invariants.faults()) == []
    line = answers.front(client, channel)
    assert answers.of_clients([client.pk])[client.pk][channel] is line.answer
    return line.answer


def test_a_new_card_was_not_asked(amelie: Client) -> None:
    assert (answer(amelie), answer(amelie, "sms")) == (Answer.NOT_ASKED, Answer.NOT_ASKED)
    assert answers.reminders(amelie).is_on


def test_a_yes_writes_one_event_for_each_kind_with_the_wording_in_the_clients_language(amelie: Client, reception: User) -> None:
    events = answers.set_channel(amelie, "email", "yes", how="paper_form", by=reception)
    assert sorted(event.purpose for event in events) == sorted(consent.MARKETING)
    assert {(event.evidence_level, event.actor_id, event.text.language if event.text else "") for event in events} == {
        (2, reception.pk, "de")
    }
    assert (answer(amelie), answer(amelie, "sms")) == (Answer.YES, Answer.NOT_ASKED)
    facts = AuditEvent.objects.get(action="consent.recorded").facts
    assert "amelie" not in str(facts)


def test_a_no_counts_at_once_and_a_later_yes_counts_again(amelie: Client, reception: User) -> None:
    answers.set_channel(amelie, "email", "no", by=reception)
    assert answer(amelie) is Answer.NO
    answers.set_channel(amelie, "email", "yes", how="phone", by=reception)
    assert answer(amelie) is Answer.YES


def test_the_same_answer_again_records_nothing_but_better_proof_does(amelie: Client, reception: User) -> None:
    assert len(answers.set_channel(amelie, "email", "yes", how="phone", by=reception)) == 5
    assert answers.set_channel(amelie, "email", "yes", how="in_person", by=reception) == []
    assert len(answers.set_channel(amelie, "email", "yes", how="paper_form", by=reception)) == 5


def test_in_germany_a_yes_by_e_mail_waits_for_the_client(amelie: Client, reception: User) -> None:
    Salon.objects.update(country="DE")
    answers.set_channel(amelie, "email", "yes", how="in_person", by=reception)
    assert answer(amelie) is Answer.WAITING


def test_some_is_said_when_the_kinds_differ(amelie: Client, reception: User) -> None:
    consent.record(amelie, purpose="mkt.review", channel="email", event="grant", source="in_person", by=reception)
    assert answer(amelie) is Answer.SOME


@pytest.mark.parametrize("event", ["object", "withdraw", "complaint"])
def test_staff_cannot_undo_the_clients_own_no(amelie: Client, reception: User, event: str) -> None:
    consent.record(amelie, purpose="*", channel="email", event=event, source="one_click_post")
    line = answers.front(amelie, "email")
    assert line.stopped_on is not None
    with pytest.raises(Refused, match="Only they can turn it on"):
        answers.set_channel(amelie, "email", "yes", how="paper_form", by=reception)
    assert answer(amelie) is Answer.NO


def test_a_stop_by_the_holder_of_an_address_bars_the_yes_on_every_card_that_has_it(amelie: Client, reception: User) -> None:
    consent.record(amelie, purpose="*", channel="email", event="object", source="one_click_post")
    twin = records.add(by=reception, first_name="Ada", email=amelie.email)
    line = answers.front(twin, "email")
    assert (line.answer, line.stopped_on) == (Answer.NOT_ASKED, None)
    assert line.bar.startswith("Whoever has this address stopped it on")
    for how in answers.HOW:
        with pytest.raises(Refused, match="Whoever has this address"):
            answers.set_channel(twin, "email", "yes", how=how, by=reception)
        with pytest.raises(Refused, match="Whoever has this address"):
            grid.set_one(twin, "mkt.promotion", "email", "yes", how=how, by=reception)
    assert answer(twin) is Answer.NOT_ASKED
    Salon.objects.update(country="DE")
    assert answers.front(twin, "email").bar == "", "there a link asks the holder of the address"
    Salon.objects.update(country="FR")
    assert answers.front(records.add(by=reception, first_name="Bea", email="bea@example.org"), "email").bar == ""


@pytest.mark.parametrize(
    ("country", "channel", "lacks"), [("FR", "email", "word"), ("DE", "email", "link"), ("DE", "sms", "form")]
)
def test_a_waiting_yes_says_what_it_lacks_in_this_country(
    amelie: Client, salon: Salon, country: str, channel: str, lacks: str
) -> None:
    Salon.objects.update(country=country)
    for purpose in fold.MARKETING:
        consent.record(amelie, purpose=purpose, channel=channel, event="pending", source="widget")
    assert (answers.front(amelie, channel).answer, answers.front(amelie, channel).lacks) == (Answer.WAITING, lacks)


def test_a_yes_needs_an_address(reception: User) -> None:
    guest = records.add(by=reception, first_name="Léa")
    with pytest.raises(Refused):
        answers.set_channel(guest, "email", "yes", how="phone", by=reception)
    answers.set_channel(guest, "sms", "no", by=reception)
    assert answer(guest, "sms") is Answer.NO


def test_undo_brings_back_what_was_before_and_deletes_nothing(amelie: Client, reception: User) -> None:
    answers.set_channel(amelie, "email", "yes", how="phone", by=reception)
    events = answers.set_channel(amelie, "email", "no", by=reception)
    answers.undo(answers.undo_token(events), client=amelie, by=reception)
    assert answer(amelie) is Answer.YES
    assert ConsentEvent.objects.count() == 15
    assert [bool(line.undone_at) for line in ledger.entries(amelie)] == [True, False]


def test_undo_is_for_the_same_person_within_ten_minutes_and_once(amelie: Client, reception: User) -> None:
    now = timezone.now()
    token = answers.undo_token(answers.set_channel(amelie, "email", "no", by=reception, now=now))
    other = people.user_with(Role.MANAGER)
    for by, at in ((other, now), (reception, now + dt.timedelta(minutes=10, seconds=1))):
        with pytest.raises(Refused):
            answers.undo(token, client=amelie, by=by, now=at)
    answers.undo(token, client=amelie, by=reception, now=now + dt.timedelta(minutes=10))
    with pytest.raises(Refused):
        answers.undo(token, client=amelie, by=reception, now=now)
    assert answer(amelie) is Answer.NOT_ASKED


def test_the_clients_own_stop_cannot_be_voided(amelie: Client, reception: User) -> None:
    stop = consent.record(amelie, purpose="*", channel="email", event="withdraw", source="preference_page")
    with pytest.raises(Refused):
        consent.void(stop, by=reception)


def test_a_token_of_another_card_or_a_forged_one_undoes_nothing(amelie: Client, reception: User) -> None:
    other = records.add(by=reception, first_name="Zoé")
    token = answers.undo_token(answers.set_channel(amelie, "email", "no", by=reception))
    for bad in (token + "x", "", "1"):
        with pytest.raises(Refused):
            answers.undo(bad, client=amelie, by=reception)
    with pytest.raises(Refused):
        answers.undo(token, client=other, by=reception)
    assert answer(amelie) is Answer.NO


def test_reminders_go_off_and_on_and_marketing_does_not_touch_them(amelie: Client, reception: User) -> None:
    answers.set_channel(amelie, "email", "no", by=reception)
    assert answers.reminders(amelie).is_on
    answers.set_reminders(amelie, False, by=reception)
    assert not answers.reminders(amelie).is_on
    assert consent.standing(amelie, "svc.reminder", "email") == Standing.State.WITHDRAWN
    assert answers.set_reminders(amelie, False, by=reception) == []
    answers.set_reminders(amelie, True, by=reception)
    assert answers.reminders(amelie).is_on


def test_a_new_address_drops_the_yes_keeps_the_no_and_keeps_reminders_as_they_were(amelie: Client, reception: User) -> None:
    answers.set_channel(amelie, "email", "yes", how="phone", by=reception)
    answers.set_channel(amelie, "sms", "no", by=reception)
    answers.set_reminders(amelie, False, by=reception)
    answers.set_reminders(amelie, True, by=reception)
    moved = records.edit(amelie, by=reception, version=1, email="new@example.org", phone="+33755103267")
    assert (answer(moved), answer(moved, "sms")) == (Answer.NOT_ASKED, Answer.NO)
    assert answers.reminders(moved).is_on


def test_another_spelling_of_the_same_address_changes_nothing(amelie: Client, reception: User) -> None:
    answers.set_channel(amelie, "email", "yes", how="phone", by=reception)
    moved = records.edit(amelie, by=reception, version=1, email="Amelie@Example.ORG")
    assert answer(moved) is Answer.YES


def test_a_stop_stops_the_address_whoever_has_it_and_start_opens_visits_only(amelie: Client) -> None:
    consent.record(amelie, purpose="**", channel="sms", event="provider_stop", source="provider_webhook")
    row = Address.objects.get(channel="sms")
    assert (row.scope, row.reason) == ("all", "stop")
    consent.record(amelie, purpose="**", channel="sms", event="provider_start", source="provider_webhook")
    row.refresh_from_db()
    assert row.scope == "marketing"
    assert answer(amelie, "sms") is Answer.NO
    assert consent.standing(amelie, "svc.reminder", "sms") != Standing.State.WITHDRAWN


def test_an_objection_everywhere_stops_both_addresses_and_is_never_weakened(amelie: Client) -> None:
    consent.record(amelie, purpose="*", channel="*", event="object", source="preference_page")
    assert {row.channel: row.scope for row in Address.objects.all()} == {"email": "marketing", "sms": "marketing"}
    bounced = addresses.stop("email", "AMELIE@example.org", scope="delivery", reason="hard_bounce", now=timezone.now())
    assert bounced.scope == "all"
    assert addresses.stop("email", amelie.email, scope="marketing", reason="object", now=timezone.now()).scope == "all"


def test_many_are_recorded_with_the_same_number_of_queries(reception: User, django_assert_max_num_queries: object) -> None:
    clients = factories.cards(
        [{"last_name": f"N{number}", "email": f"n{number}@example.org"} for number in range(40)], by=reception
    )
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        consent.record_many([consent.Said(one, "*", "email", "withdraw", "import") for one in clients], by=reception)
    assert {answer(one) for one in clients[:2]} == {Answer.NO}


def test_answers_of_cards_of_the_same_transaction_are_written_as_all_others(reception: User) -> None:
    def everything(said: list[consent.Said]) -> list[consent.Said]:
        return [
            one._replace(purpose=purpose, channel=channel, event=event)
            for one in said
            for purpose, channel, event in (
                ("*", "email", "withdraw"), ("mkt.promotion", "sms", "import_claim"), ("mkt.review", "email", "grant"),
                ("svc.reminder", "*", "withdraw"), ("photos", "", "grant"),
            )
        ]  # fmt: skip

    people = [{"last_name": "Un", "email": " Un@Example.org ", "phone": "+33612447890"}, {"last_name": "Deux"}]
    now = timezone.now()
    with transaction.atomic():
        made = records.make_many(people, by=reception, now=now)
        said = everything([consent.Said(one.pk, "", "", "", "import", evidence_level=0) for one in made])
        with CaptureQueriesContext(connection) as asked:
            new = consent.record_many(said, by=reception, now=now, new=made)
    of_the_cards = [one["sql"] for one in asked if one["sql"].startswith("SELECT") and "clients_" in one["sql"]]
    assert of_the_cards == []  # nobody else sees the cards yet
    known = records.add_many(people, by=reception, now=now)
    said = everything([consent.Said(pk, "", "", "", "import", evidence_level=0) for pk in known])
    told = consent.record_many(said, by=reception, now=now)

    def lines(events: list[ConsentEvent]) -> list[dict[str, object]]:
        rows = ConsentEvent.objects.filter(pk__in=[event.pk for event in events]).order_by("pk").values()
        return [{name: value for name, value in row.items() if name not in {"id", "subject_id"}} for row in rows]

    def states(pks: list[int]) -> list[tuple[object, ...]]:
        fields = ("client__last_name", "purpose", "channel", "state", "event__event", "event__address_hmac")
        return sorted(Standing.objects.filter(client__in=pks).values_list(*fields))

    assert lines(new) == lines(told)
    assert states([one.pk for one in made]) == states(known) != []
    assert list(invariants.faults()) == []
