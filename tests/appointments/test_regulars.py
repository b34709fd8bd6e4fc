"""What the card knows of a client's visits, and with whom they usually book."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from appointments import regulars
from appointments.models import OwnRhythm, State, UsualStaff
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_the_usual_stylist_is_chosen_in_place_shown_on_the_card_and_undone(
    signed_in: Callable[[Role], Browser], reception: User
) -> None:
    desk, client, lea, marco = signed_in(Role.RECEPTION), factories.client(), factories.staff(), factories.staff(name="Marco")
    address = f"/clients/{client.pk}/usual/set/"
    shown = desk.post(address, {"staff": str(lea.pk)}, headers=HTMX).content.decode()
    assert f'<option value="{lea.pk}" selected>' in shown
    changed = desk.post(address, {"staff": str(marco.pk)}, headers=HTMX).content.decode()
    assert "Marco" in re.sub(r"\s+", " ", desk.get(f"/clients/{client.pk}/").content.decode()).split("Usual stylist")[1][:60]
    token = re.findall(r'name="token" value="([^"]+)"', changed)[-1]
    assert desk.post(address, {"token": token}).status_code == 303
    assert UsualStaff.objects.get().staff == lea
    desk.post(address, {"token": token + "x"})
    other = factories.client()
    desk.post(f"/clients/{other.pk}/usual/set/", {"token": token})
    assert UsualStaff.objects.get().staff == lea
    desk.post(address, {"staff": ""})
    assert not UsualStaff.objects.exists()
    facts = AuditEvent.objects.filter(action="client.usual_staff_set").order_by("pk").values_list("facts", flat=True)
    assert list(facts) == [{"staff": lea.pk}, {"staff": marco.pk}, {"staff": lea.pk}, {"staff": None}]


def test_the_same_choice_again_writes_nothing(reception: User) -> None:
    client, lea = factories.client(), factories.staff()
    for _ in range(2):
        regulars.set_usual(client, lea, by=reception)
    assert AuditEvent.objects.filter(action="client.usual_staff_set").count() == 1


def test_somebody_who_left_stays_the_usual_stylist_until_changed(signed_in: Callable[[Role], Browser], reception: User) -> None:
    client, lea = factories.client(), factories.staff(is_active=False)
    regulars.set_usual(client, lea, by=reception)
    shown = signed_in(Role.RECEPTION).get(f"/clients/{client.pk}/usual/", headers=HTMX).content.decode()
    assert f'<option value="{lea.pk}" selected>' in shown


def test_the_facts_count_visits_and_no_shows_and_the_tab_all_of_them(reception: User) -> None:
    client, past = factories.client(), timezone.now() - dt.timedelta(days=30)
    for day, state in enumerate((State.DONE, State.DONE, State.NO_SHOW, State.BOOKED)):
        factories.appointment(client=client, start_at=past + dt.timedelta(days=day), state=state)
    factories.appointment(client=client, start_at=past, state=State.CANCELLED, cancelled_at=past)
    factories.appointment()
    (fact,) = regulars.facts(reception, client, timezone.now())
    assert fact.text == "2 visits · 1 no-show"
    assert regulars.count(reception, client) == 5
    assert [entry.badge_text for entry in regulars.entries(reception, client, timezone.now(), 2)] == ["Booked", "No-show"]


def test_the_weeks_until_the_next_visit_are_entered_on_the_card_and_taken_back(signed_in: Any, salon: Salon) -> None:
    client = factories.client()
    url, browser = f"/clients/{client.pk}/rhythm/", signed_in(Role.RECEPTION)
    answer = browser.post(f"{url}set/", {"weeks": "5"}, headers={"HX-Request": "true"})
    assert 'value="5"' in answer.content.decode()
    for wrong in ("0", "105", "x"):
        browser.post(f"{url}set/", {"weeks": wrong})
        assert OwnRhythm.objects.get(client=client).weeks == 5
    emptied = browser.post(f"{url}set/", {"weeks": ""}, headers=HTMX).content.decode()
    assert not OwnRhythm.objects.exists()
    tokens = re.findall(r'name="token" value="([^"]+)"', emptied)
    browser.post(f"{url}set/", {"token": tokens[-1]})
    assert OwnRhythm.objects.get(client=client).weeks == 5
