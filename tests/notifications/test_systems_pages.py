"""Settings → Other systems: the secret is shown once, a test says what came of it, what failed is tried again."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import consent
from notifications import health, tasks
from notifications.systems import planning, sending
from notifications.systems.models import Change, Delivery, OtherSystem, Received
from salon.celery import app
from salon.core import bell
from salon.core.models import AuditEvent, Salon
from salon.core.roles import Role
from tests import factories
from tests.fakes.hook_receiver import Receiver
from tests.notifications.workers import LONG_AGO

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
PAGE = "/settings/systems/"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver("whsec_")
    yield server
    server.close()


@pytest.fixture
def owner_browser(signed_in: SignIn) -> Browser:
    return signed_in(Role.OWNER)


def text_of(browser: Browser, path: str) -> str:
    return browser.get(path).content.decode()


def test_a_system_is_added_and_its_secret_is_shown_once(owner_browser: Browser, receiver: Receiver) -> None:
    assert "No other system yet" in text_of(owner_browser, PAGE)
    data = {"name": "Newsletter", "way": "connected", "url": receiver.url, "has_email": "on"}
    answer = owner_browser.post(f"{PAGE}add/", data)
    row = OtherSystem.objects.get()
    assert answer.headers["Location"] == f"{PAGE}{row.pk}/"
    first, second = text_of(owner_browser, f"{PAGE}{row.pk}/"), text_of(owner_browser, f"{PAGE}{row.pk}/")
    assert (set(SECRET.findall(first)), SECRET.findall(second)) == ({row.secret}, [])
    assert f"/hooks/preferences/{row.public_id}/" in second
    assert (row.has_email, row.has_phone) == (True, False)
    owner_browser.post(f"{PAGE}{row.pk}/secret/")
    changed = text_of(owner_browser, f"{PAGE}{row.pk}/")
    row.refresh_from_db()
    assert set(SECRET.findall(changed)) == {row.secret}
    assert "The old secret counts beside the new one until" in changed
    assert row.secret not in str(list(AuditEvent.objects.values_list("facts", flat=True)))
    assert "No other system yet" not in text_of(owner_browser, PAGE)


@pytest.mark.parametrize("url", ["", "http://newsletter.example/", "https://192.168.1.5/hook", "https://x.example:22/"])
def test_an_address_of_no_use_is_refused_and_nothing_is_added(owner_browser: Browser, url: str) -> None:
    answer = owner_browser.post(f"{PAGE}add/", {"name": "Newsletter", "way": "connected", "url": url})
    assert (answer.status_code, OtherSystem.objects.count()) == (422, 0)
    assert owner_browser.post(f"{PAGE}add/", {"name": "By hand", "way": "by_hand", "url": url}).status_code == 303  # control
    assert OtherSystem.objects.get().url == ""


def test_a_test_says_what_came_of_it_in_words(owner_browser: Browser, receiver: Receiver) -> None:
    row = factories.other_system(url=receiver.url)
    receiver.secrets = [row.secret]
    words = {204: "It took the test (204).", 401: "Compare the secrets.", 404: "It does not know the address (404)."}
    for status, said in words.items():
        receiver.answer = lambda number, request, status=status: status  # type: ignore[misc]
        assert said in owner_browser.post(f"{PAGE}{row.pk}/test/", headers={"HX-Request": "true"}).content.decode()
    assert [(one.good_count, one.event["type"], one.event["data"]["client"]) for one in receiver.requests] == [
        (1, "test", None)
    ] * 3
    receiver.close()
    assert "Nothing answers at this address." in owner_browser.post(f"{PAGE}{row.pk}/test/", follow=True).content.decode()
    assert Delivery.objects.count() == 0


def test_what_failed_is_seen_with_its_reason_and_tried_at_once(
    owner_browser: Browser, receiver: Receiver, sending_salon: Salon
) -> None:
    row = factories.other_system(url=receiver.url)
    receiver.answer = lambda number, request: 500
    client = factories.client()
    consent.record(client, purpose="mkt.promotion", channel="email", event="deny", source="in_person")
    planning.plan(timezone.now())
    sending.serve(row.pk)
    page = text_of(owner_browser, f"{PAGE}{row.pk}/")
    assert ("It answered with an error (500)." in page, "Next try:" in page, f"Card no. {client.pk}" in page) == (
        True,
        True,
        True,
    )
    (line,) = [one for one in health.report(sending_salon, timezone.now()) if one.name == "Other systems"]
    assert (line.is_ok, line.words) == (False, "Cannot be reached: Newsletter.")
    receiver.answer = lambda number, request: 204
    delivery = Delivery.objects.get()
    owner_browser.post(f"{PAGE}deliveries/{delivery.pk}/")
    assert sending.due_systems(timezone.now()) == [row.pk]
    sending.serve(row.pk)
    owner_browser.post(f"{PAGE}deliveries/{delivery.pk}/")  # told: once more, as it is now
    sending.serve(row.pk)
    assert [one.event["data"]["client"]["id"] for one in receiver.requests] == [str(client.pk)] * 3
    assert len({one.event_id for one in receiver.requests}) == 2


def test_off_keeps_what_changes_on_tells_it_and_removal_forgets_it(
    owner_browser: Browser, receiver: Receiver, sending_salon: Salon
) -> None:
    row = factories.other_system(url=receiver.url)
    switch = f"{PAGE}{row.pk}/switch/"
    assert "Newsletter is off." in owner_browser.post(switch, {"to": "off"}, follow=True).content.decode()
    consent.record(factories.client(), purpose="mkt.promotion", channel="email", event="deny", source="in_person")
    planning.plan(timezone.now())
    assert (sending.due_systems(timezone.now()), sending.serve(row.pk)) == ([], 0)
    assert "1 change waits." in text_of(owner_browser, f"{PAGE}{row.pk}/")
    owner_browser.post(switch, {"token": "on"})  # Undo
    assert (sending.serve(row.pk), len(receiver.requests)) == (1, 1)
    owner_browser.post(f"{PAGE}{row.pk}/remove/")
    assert (OtherSystem.objects.count(), Delivery.objects.count()) == (0, 0)
    for action in ("system.switched", "system.removed"):
        assert AuditEvent.objects.filter(action=action).exists()
    assert "removed another system" in text_of(owner_browser, "/settings/activity/")


def test_without_any_system_no_mark_is_left(sending_salon: Salon) -> None:
    consent.record(factories.client(), purpose="mkt.promotion", channel="email", event="deny", source="in_person")
    assert Change.objects.count() == 0


def test_the_clock_and_the_bell_ring_for_tasks_that_there_are(settings: Any) -> None:
    app.loader.import_default_modules()
    known = set(app.tasks)
    rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"notifications.systems", "notifications.tidy_systems", bell.SYSTEMS} <= rung <= known


def test_the_task_tells_what_changed_and_tidies_what_is_old(
    sending_salon: Salon, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = factories.other_system(url=receiver.url)
    consent.record(factories.client(), purpose="mkt.promotion", channel="email", event="deny", source="in_person")
    monkeypatch.setattr(sending, "deliver_due", lambda **kwargs: sending.serve(row.pk))  # a thread would not see this test
    tasks.systems()
    assert Delivery.objects.get().state == "told"
    Received.objects.create(system=row, event_id="old", at=timezone.now() - planning.RECEIVED_FOR * 2)
    tasks.tidy_systems()
    assert (Delivery.objects.count(), Received.objects.count()) == (1, 0)
    Delivery.objects.update(created_at=timezone.now() - planning.KEPT_FOR * 2)
    Delivery.objects.create(system=row, kind="client.erased", client_number=9, sequence=1, state="told", created_at=LONG_AGO)
    Delivery.objects.create(system=row, kind="client.preferences.changed", client_number=8, sequence=1, created_at=LONG_AGO)
    tasks.tidy_systems()
    assert set(Delivery.objects.values_list("client_number", flat=True)) == {8, 9}  # what waits, and that a card is gone, stays
