"""The demo salon: believable, consistent, for an empty installation only, and nobody can be reached through it."""

import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from django.test import TestCase

from appointments.models import Appointment, Service, Staff, State, WorkingHours
from clients import consent, invariants, search
from clients.models import Client, ConsentEvent, DuplicatePair, Standing
from notifications import gate, links, outbox, planner, shortlinks
from notifications.demo import large, people
from notifications.demo import salon as demo
from notifications.grounds import from_json
from notifications.models import Attempt, Message
from notifications.models import State as Fate
from salon.core import instance, phone
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories

NOW = dt.datetime(2026, 11, 18, 10, 40, tzinfo=dt.UTC)
COUNT = 120
FICTION = (
    "+3319900", "+3326191", "+3335301", "+3346571", "+3353649", "+493023125", "+496990009", "+494066969", "+492214710",
    "+498999998", "+442079460", "+441134960", "+441214960", "+441614960",
    "+3363998", "+4917139200", "+49176040690", "+447700900",
)  # fmt: skip


class DemoSalon(TestCase):
    """One demo salon, looked at from all sides."""

    opened: demo.Opened

    @classmethod
    def setUpTestData(cls) -> None:
        cls.opened = demo.fill(client_count=COUNT, language="en", seed=3, now=NOW)

    def test_an_empty_installation_becomes_a_salon(self) -> None:
        salon = Salon.objects.current()
        assert (salon.name, salon.city, salon.currency, salon.time_zone) == ("Atelier Nord", "Lyon", "EUR", "Europe/Paris")
        assert salon.is_demo
        assert not salon.is_mfa_required
        assert (Staff.objects.count(), Service.objects.count(), Client.objects.count()) == (6, 24, COUNT)
        assert set(Client.objects.values_list("language", flat=True)) == {"en", "fr", "de"}

    def test_each_role_gets_a_sign_in_that_works(self) -> None:
        assert {User.objects.get(email=login.email).role for login in self.opened.logins} == set(Role)
        assert len({login.password for login in self.opened.logins}) == 4
        for login in self.opened.logins:
            assert User.objects.get(email=login.email).check_password(login.password)
            assert len(login.password) >= 15
        assert Staff.objects.get(user__role=Role.STYLIST).name == "Léa"

    def test_nobody_can_be_reached_at_what_the_demo_invents(self) -> None:
        emails = [
            *Client.objects.exclude(email="").values_list("email", flat=True),
            *User.objects.values_list("email", flat=True),
        ]
        for email in emails:
            assert re.fullmatch(r"[a-z0-9.-]+@(example\.org|[a-z-]+\.example)", email), email
        for number in Client.objects.exclude(phone="").values_list("phone", flat=True):
            assert str(number).startswith(FICTION)
            assert phone.read(str(number), "FR") == str(number), "a card can be saved as it is"

    def test_it_is_a_salon_of_its_country_down_to_the_last_service(self) -> None:
        names = set(Service.objects.values_list("name", flat=True))
        assert {"Coupe femme", "Brushing", "Mèches"} <= names
        assert not names & {"Cut", "Highlights", "Strähnen"}
        assert Salon.objects.current().language == "fr"
        assert set(User.objects.values_list("language", flat=True)) == {"en"}, "the team reads what was chosen"
        assert set(Client.objects.exclude(country="").values_list("country", flat=True)) == {"FR"}

    def test_most_have_a_mobile_number_and_some_stand_twice_in_the_book(self) -> None:
        numbers = [str(number) for number in Client.objects.exclude(phone="").values_list("phone", flat=True)]
        assert sum(not phone.cannot_get_sms(number) for number in numbers) > len(numbers) / 2
        sure = DuplicatePair.objects.filter(band="sure")
        assert sure.count() >= people.TWINS

    def test_nobody_is_in_two_places_and_everybody_works_within_hours(self) -> None:
        zone = Salon.objects.current().zone
        hours = {(row.staff_id, row.weekday, row.starts_at, row.ends_at) for row in WorkingHours.objects.all()}
        for person in Staff.objects.all():
            visits = list(Appointment.objects.filter(staff=person).taking_time().order_by("start_at"))
            assert visits
            assert all(one.end_at <= other.start_at for one, other in pairwise(visits))
            for visit in visits:
                start, end = visit.start_at.astimezone(zone), visit.end_at.astimezone(zone)
                assert any(
                    staff == person.pk and weekday == start.weekday() and opens <= start.time() and end.time() <= closes
                    for staff, weekday, opens, closes in hours
                )

    def test_the_past_is_over_and_the_next_weeks_are_booked(self) -> None:
        past = Counter(Appointment.objects.filter(end_at__lte=NOW).values_list("state", flat=True))
        assert set(past) == {State.DONE, State.NO_SHOW, State.CANCELLED}
        assert past[State.DONE] > 5 * (past[State.NO_SHOW] + past[State.CANCELLED])
        ahead = Appointment.objects.filter(start_at__gt=NOW).exclude(state=State.CANCELLED)
        assert set(ahead.values_list("state", flat=True)) == {State.BOOKED, State.CONFIRMED}
        assert ahead.filter(start_at__lt=NOW + dt.timedelta(hours=9)).exists()
        assert ahead.filter(start_at__gt=NOW + dt.timedelta(days=14)).exists()
        assert not Appointment.objects.filter(created_at__gt=NOW).exists()
        assert not ahead.filter(client__inactive_at__isnull=False).exists()

    def test_nothing_of_the_demo_waits_to_be_sent(self) -> None:
        assert not Message.objects.filter(state__in=[Fate.PENDING, Fate.CLAIMED, Fate.HANDOFF, Fate.HELD]).exists()
        assert not planner.plan(NOW), "all of the past was said already"
        assert not outbox.claim(NOW)

    def test_every_message_handed_over_stands_on_a_decision_to_send(self) -> None:
        attempts = Attempt.objects.select_related("message")
        handed = Message.objects.filter(state__in=outbox.TOLD)
        assert handed.count() == attempts.count() > 20
        for attempt in attempts:
            assert isinstance(gate.decide(from_json(attempt.decision), attempt.at), gate.Send)
            assert attempt.message.recipient
            assert "{" not in attempt.message.body

    def test_nobody_was_reminded_who_has_reminders_off(self) -> None:
        off = Standing.objects.filter(purpose="svc.reminder", state="withdrawn").values("client")
        assert not Message.objects.filter(kind="reminder", client__in=off).exists()

    def test_consents_are_in_every_state_and_read_the_same_from_the_ledger(self) -> None:
        states = set(Standing.objects.filter(purpose="mkt.promotion").values_list("state", flat=True))
        assert states == {"granted", "pending", "withdrawn", "soft_opt_in"}
        events = set(ConsentEvent.objects.values_list("event", flat=True))
        assert {"grant", "withdraw", "pending", "soft_opt_in", "address_changed", "import_claim"} <= events
        assert {"client", "staff", "system"} <= set(ConsentEvent.objects.values_list("actor_type", flat=True))
        for row in Standing.objects.select_related("client")[:100]:
            assert row.state == consent.reading(row.client, row.purpose, row.channel).state
        asked = Standing.objects.filter(purpose="mkt.promotion").values("client").distinct().count()
        assert asked < COUNT, "some were not asked"

    def test_clients_are_found_as_if_they_had_been_added_by_hand(self) -> None:
        client = Client.objects.exclude(phone="").exclude(last_name="").first()
        assert client is not None
        assert client in search.find(f"{search.fold(client.last_name)} {str(client.phone)[-4:]}")
        assert client.created_at < NOW

    def test_an_installation_that_has_it_already_is_left_alone(self) -> None:
        with pytest.raises(CommandError, match=r"has data already.*\./run without --demo"):
            call_command("demo", "--clients", "5", "--country", "GB")
        assert Client.objects.count() == COUNT

    def test_this_host_becomes_the_one_that_sends_only_when_all_is_written(self) -> None:
        assert not instance.is_ours(Salon.objects.current())


@pytest.mark.parametrize(("country", "city", "service"), [("DE", "Köln", "Damenschnitt"), ("GB", "Leeds", "Cut")])
@pytest.mark.django_db
def test_the_salon_can_be_in_another_country(country: str, city: str, service: str) -> None:
    demo.fill(client_count=30, language="fr", seed=4, now=NOW, country=country)
    salon = Salon.objects.current()
    assert (salon.city, salon.country) == (city, country)
    assert Service.objects.filter(name=service).exists()


@pytest.mark.django_db
def test_a_link_that_only_this_machine_opens_says_that_it_is_the_demos(salon: Salon) -> None:
    """And only that: a salon's links stay as they are, and a demo with an address of its own is reached."""
    client = factories.client()
    for address, is_demo, is_marked in (
        ("http://127.0.0.1:8000", True, True),
        ("https://book.example.com", True, False),
        ("https://book.example.com", False, False),
    ):
        Salon.objects.update(public_url=address, is_demo=is_demo)
        now_on = Salon.objects.current()
        for link in (links.preferences_url(now_on, "x"), links.form_url(now_on, client, now=NOW), shortlinks.url(now_on, client)):
            assert link.startswith(f"{address}/")
            assert link.endswith("#demo-link") is is_marked


@pytest.mark.parametrize("make", [factories.salon, factories.client])
@pytest.mark.django_db
def test_an_installation_with_data_is_left_alone(make: Callable[[], object]) -> None:
    make()
    before = Client.objects.count()
    with pytest.raises(CommandError, match="has data already"):
        call_command("demo", "--clients", "5", "--country", "GB")
    assert Client.objects.count() == before
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_sign_ins_are_printed_in_a_table() -> None:
    out = io.StringIO()
    call_command("demo", "--clients", "5", stdout=out)
    rows = [line.split() for line in out.getvalue().splitlines() if "@" in line]
    assert len(rows) == 4
    for row in rows:
        assert User.objects.get(email=row[-2]).check_password(row[-1])


@pytest.mark.parametrize(
    ("asked", "language"),
    [((), "fr"), (("--country", "DE"), "de"), (("--country", "GB"), "en"), (("--country", "DE", "--language", "en"), "en")],
)
@pytest.mark.django_db
def test_the_team_reads_the_language_of_its_country(asked: tuple[str, ...], language: str) -> None:
    call_command("demo", "--clients", "5", *asked, stdout=io.StringIO())
    assert set(User.objects.values_list("language", flat=True)) == {language}


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_people() -> None:
    def some() -> list[tuple[object, ...]]:
        people.add(30, language="en", rng=Random(7), by=None, now=NOW)
        return list(Client.objects.order_by("-pk").values_list("first_name", "last_name", "phone", "email", "note")[:30])

    assert some() == some()


@pytest.mark.django_db
def test_a_large_demo_is_as_consistent_as_the_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "CHUNK", 70)
    lines: list[str] = []
    opened = large.fill(client_count=300, language="fr", seed=5, now=NOW, say=lines.append)
    assert (Client.objects.count(), Appointment.objects.count()) == (300, opened.visit_count)
    assert 2_700 <= opened.visit_count <= 3_300
    assert Counter(Appointment.objects.values_list("state", flat=True))[State.DONE] > 2_000
    assert not list(invariants.faults())
    assert {"granted", "withdrawn"} <= set(Standing.objects.values_list("state", flat=True))
    for column in ("staff", "client"):
        rows = Appointment.objects.exclude(state=State.CANCELLED).order_by(column, "start_at")
        taken = list(rows.values_list(f"{column}_id", "start_at", "end_at"))
        assert not [one for one, other in pairwise(taken) if one[0] == other[0] and other[1] < one[2]]
    assert not Client.objects.filter(appointments__created_at__lt=models.F("created_at")).exists()
    assert not ConsentEvent.objects.filter(effective_at__lt=models.F("subject__client__created_at")).exists()
    assert Message.objects.count() > 30
    assert not Message.objects.filter(state__in=[Fate.PENDING, Fate.CLAIMED, Fate.HANDOFF]).exists()
    assert any(line.startswith("clients") for line in lines)
    with pytest.raises(Refused, match="empty one only"):
        large.fill(client_count=300, language="fr", seed=5, now=NOW, say=lines.append)
