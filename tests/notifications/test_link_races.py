"""Links pressed at the same moment, on committed rows: twice is once, whoever wins (C4, I-32, I-40)."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from clients import consent
from clients.models import Address, Client, ConsentEvent, ConsentText
from notifications import links
from salon.core.models import Salon
from tests import factories
from tests.notifications import letters

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 6


def at_once(*acts: Callable[[], int]) -> list[int]:
    """Do all at the same moment, each in a thread and with a connection of its own; return the status codes."""
    start, codes = threading.Barrier(len(acts)), []

    def run(act: Callable[[], int]) -> None:
        try:
            start.wait(10)
            codes.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return codes


def test_one_click_at_once_from_everywhere_is_one_event(committed: Salon) -> None:
    client, sister = (factories.client(email="family@example.org") for _ in range(2))
    for one in (client, sister):
        letters.grant(one, at=timezone.now() - dt.timedelta(days=1))
    urls = [letters.url(client), letters.url(sister)] * (AT_ONCE // 2)
    codes = at_once(*(lambda url=url: letters.browser().post(url).status_code for url in urls))
    assert codes == [200] * AT_ONCE
    assert ConsentEvent.objects.filter(event="object").count() == 2
    assert Address.objects.get().scope == "marketing"
    for one in (client, sister):
        assert consent.standing(one, "mkt.promotion", "email") == "withdrawn"


def test_one_form_at_once_is_written_once(committed: Salon) -> None:
    client = factories.client()
    letters.grant(client, at=timezone.now() - dt.timedelta(days=1))
    url = letters.url(client)
    form = letters.ticked(letters.browser().get(url), mkt_review__email=False)
    assert at_once(*[lambda: letters.browser().post(url, form).status_code] * AT_ONCE) == [200] * AT_ONCE
    assert ConsentEvent.objects.filter(event="withdraw").count() == 1


def test_a_confirmation_and_a_stop_at_once_leave_ledger_and_standing_in_agreement(committed: Salon) -> None:
    Salon.objects.update(country="DE")
    text = ConsentText.objects.get(purpose="mkt.review", channel="email", language="de", version="2026-1")
    client: Client = factories.client(language="de")
    event = consent.record(client, purpose="mkt.review", channel="email", event="pending", source="widget", text=text)
    path, stop = f"/c/{links.confirm_token(event.pk)}/", letters.url(client)
    press = {"line": str(event.pk)}
    acts = [lambda: letters.browser().post(path, press).status_code] * 4 + [lambda: letters.browser().post(stop).status_code]
    assert at_once(*acts) == [200] * 5
    assert ConsentEvent.objects.filter(event="confirm").count() <= 1
    assert ConsentEvent.objects.filter(event="object").count() == 1
    said = list(
        ConsentEvent.objects.filter(event__in=["confirm", "object"]).order_by("effective_at").values_list("event", flat=True)
    )
    state = consent.standing(client, "mkt.review", "email")
    assert state == consent.reading(client, "mkt.review", "email").state
    assert state == "withdrawn" or said[-1] == "confirm"
