"""The pages on which somebody writes to clients: who may, what they show, and that one press is one campaign."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients.models import Client
from notifications import campaigns, composing, planner, sending
from notifications.models import Campaign, Message, State
from salon.core.models import Salon
from salon.core.roles import Role
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications.marketing import says, willing

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}
TEXT = {"title": "Winter", "text": "All treatments are 20 % off, {first_name}.", "valid_until": "", "conditions": ""}


@pytest.fixture
def noon(salon: Salon) -> dt.datetime:
    """Now, in a salon where it is about noon: no quiet hours."""
    now = timezone.now()
    offset = 12 - now.hour
    Salon.objects.update(time_zone=f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT")
    return now


@pytest.fixture
def manager(sending_salon: Salon, noon: dt.datetime, signed_in: SignIn) -> Browser:
    return signed_in(Role.MANAGER)


def form(*clients: Client, **fields: Any) -> dict[str, Any]:
    return {**TEXT, "sel": [str(client.pk) for client in clients], "key": "abc", "act": "send", **fields}


def content(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_page_says_of_each_whether_and_why_not_and_names_the_number(manager: Browser, noon: dt.datetime) -> None:
    yes, no, unasked = willing(noon), factories.client(first_name="Nora"), factories.client(email="")
    says(no, "withdraw", noon - dt.timedelta(days=24), source="phone")
    page = content(manager.get(f"/messages/new/?sel={yes.pk}&sel={no.pk}&sel={unasked.pk}"))
    assert "1 of 3 will get it." in page
    assert "Left out: 1 said No, 1 without e-mail." in page
    assert re.search(r"Nora.*?<small>No since \d+ \w+ 2026 \(By phone\)\.</small>", page)
    assert "Send 1 e-mail<" in page
    assert 'name="expected" value="1"' in page


def test_sending_leads_to_what_became_of_it_with_undo(manager: Browser, noon: dt.datetime) -> None:
    client = willing(noon)
    answer = manager.post("/messages/new/", form(client, expected="1"), follow=True)
    campaign = Campaign.objects.get()
    assert answer.redirect_chain == [(f"/messages/campaigns/{campaign.pk}/", 303)]
    assert "1 e-mail leaves in 30 seconds." in content(answer)
    assert f'action="/messages/campaigns/{campaign.pk}/stop/"' in content(answer)
    planner.plan(noon)
    manager.post(f"/messages/campaigns/{campaign.pk}/stop/", {"token": str(campaign.pk)})
    assert Message.objects.get().state == State.CANCELLED
    assert "The promotion was stopped." in content(manager.get(f"/messages/campaigns/{campaign.pk}/"))


def test_the_form_sent_twice_makes_one_campaign(manager: Browser, noon: dt.datetime) -> None:
    client = willing(noon)
    places = {manager.post("/messages/new/", form(client)).headers["Location"] for _ in range(2)}
    assert (len(places), Campaign.objects.count()) == (1, 1)


def test_what_changed_since_it_was_shown_is_shown_again(manager: Browser, noon: dt.datetime) -> None:
    yes, other = willing(noon), willing(noon)
    says(other, "withdraw", noon)
    answer = manager.post("/messages/new/", form(yes, other, expected="2"))
    assert answer.status_code == 422
    assert "1 client would get it now" in content(answer)
    assert "20 % off" in content(answer), "what was written stays"
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("text", "Hi {name}", "{name} stands for nothing"),
        ("title", "", "This field is required."),
        ("valid_until", "2020-01-01", "Choose today or a later day."),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_sends_nothing(
    manager: Browser, noon: dt.datetime, field: str, value: str, words: str
) -> None:
    answer = manager.post("/messages/new/", form(willing(noon), **{field: value}))
    assert (answer.status_code, words in content(answer)) == (422, True)
    assert not Campaign.objects.exists()


def test_the_preview_is_the_mail_in_the_clients_language_and_carries_nobodys_link(manager: Browser, noon: dt.datetime) -> None:
    client = willing(noon, language="de", first_name="Jürgen")
    side = content(manager.post("/messages/new/", form(client, act="preview"), headers=HTMX))
    assert side.startswith('<div class="s-stack" id="compose-side">')
    for words in ("Guten Tag Jürgen,", "20 % off, Jürgen.", "eingewilligt haben", "/u/example/"):
        assert words in side
    assert len(re.findall(r"/u/", side)) == 1
    fault = content(manager.post("/messages/new/", form(client, act="preview", text="{x}"), headers=HTMX))
    assert "{x} stands for nothing." in fault
    assert "no first name" not in fault, "that is no fault of the card"
    assert not Campaign.objects.exists()


def test_a_test_goes_to_oneself_and_to_nobody_else(
    manager: Browser, noon: dt.datetime, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "provider", lambda *args, **kwargs: fake)
    answer = manager.post("/messages/new/", form(willing(noon), act="test"))
    assert (answer.status_code, fake.recipients) == (200, ["nadia@example.org"])
    raw = fake.delivered[0].raw.decode()
    assert "List-Unsubscribe" not in raw
    assert "/u/example/" in raw.replace("=\r\n", "")
    assert not Campaign.objects.exists()


def test_reception_and_stylists_send_nothing_and_are_told_whom_to_ask(
    sending_salon: Salon, noon: dt.datetime, signed_in: SignIn
) -> None:
    client = willing(noon)
    signed_in(Role.MANAGER)
    for role in (Role.RECEPTION, Role.STYLIST):
        browser = signed_in(role)
        assert browser.get(f"/messages/new/?sel={client.pk}").status_code == 403
        assert browser.post("/messages/new/", form(client)).status_code == 403
    card, cards = content(signed_in(Role.RECEPTION).get(f"/clients/{client.pk}/")), signed_in(Role.STYLIST)
    assert 'id="message" disabled title="Only a manager can send advertising. Ask Nadia Keller."' in card
    assert 'id="message"' not in content(cards.get(f"/clients/{client.pk}/"))
    assert 'name="sel"' not in content(cards.get("/clients/"))
    assert "Ask Nadia Keller." in content(signed_in(Role.RECEPTION).get("/clients/"))
    assert not Campaign.objects.exists()


def test_a_selection_survives_pages_search_and_sorting(manager: Browser, noon: dt.datetime) -> None:
    clients = [factories.client(last_name=f"Aa{number:03}") for number in range(60)]
    first, last = clients[0], clients[-1]
    query = f"sel={first.pk}&sel={last.pk}"
    one = content(manager.get(f"/clients/?{query}"))
    assert f'value="{first.pk}" id="tick-{first.pk}" checked' in one
    assert f'<input type="hidden" name="sel" value="{last.pk}">' in one
    assert f"?sel={first.pk}&amp;sel={last.pk}&amp;page=2" in one, "a plain link carries it too"
    assert "2 selected" in one
    two = content(manager.get(f"/clients/?page=2&{query}", headers=HTMX))
    assert f'<input type="hidden" name="sel" value="{first.pk}">' in two
    assert f'value="{last.pk}" id="tick-{last.pk}" checked' in two
    assert 'hx-include="#sel"' in two
    assert 'id="selection-bar"' in two
    assert "hx-swap-oob" in two


def test_nobody_and_too_many_lead_back_to_the_list(manager: Browser, noon: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaigns, "LIMIT", 2)
    many = "&".join(f"sel={factories.client().pk}" for _ in range(3))
    assert "Nobody chosen yet" in content(manager.get("/messages/new/?sel=x&sel=999999"))
    assert "At most 2 clients at once" in content(manager.get(f"/messages/new/?{many}"))


def test_campaigns_are_found_again_with_their_numbers(manager: Browser, noon: dt.datetime) -> None:
    assert "No campaign yet" in content(manager.get("/messages/campaigns/"))
    manager.post("/messages/new/", form(willing(noon), factories.client()))
    page = content(manager.get("/messages/campaigns/"))
    assert re.search(r"Winter</a>.*?Waiting.*?>0</td>.*?>1</td>.*?>0</td>.*?>1</td>", page, re.DOTALL)
    assert 'href="/messages/campaigns/"' in content(manager.get("/messages/"))
    fragment = content(manager.get(f"/messages/campaigns/{Campaign.objects.get().pk}/", headers=HTMX))
    assert 'hx-trigger="every 3s"' in fragment


def test_all_that_a_filter_finds_get_it_with_the_number_on_the_button_and_a_few_by_name(
    manager: Browser, noon: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composing, "SHOWN", 2)
    monkeypatch.setattr(composing, "SHOWN_OUT", 1)
    for number in range(3):
        willing(noon, last_name=f"Zz{number}", language="fr")
    factories.client(language="fr")
    every = re.search(r"[?;]all=([^\"&]+)", content(manager.get("/clients/?lang=fr&select=1")))
    assert every is not None
    page = content(manager.get(f"/messages/new/?all={every[1]}"))
    for words in ("3 of 4 will get it.", "Send 3 e-mails<", "Left out: 1 not asked.", "and 2 more"):
        assert words in page, words
    assert 'name="sel"' not in page, "the filter travels, not who it finds"
    token = re.search(r'name="all" value="([^"]+)"', page)
    assert token is not None
    willing(noon, language="fr")  # meanwhile
    sent = {**TEXT, "all": token[1], "key": "abc", "act": "send", "expected": "3"}
    assert "4 clients would get it now" in content(manager.post("/messages/new/", sent))
    tomorrow = {"leave_on": (noon + dt.timedelta(days=1)).date().isoformat(), "leave_at": "12:00"}
    answer = manager.post("/messages/new/", {**sent, **tomorrow, "expected": "4"}, follow=True)
    campaign = Campaign.objects.get()
    assert (campaign.meant_count, campaign.not_before - noon > dt.timedelta(hours=20)) == (4, True)
    assert re.search(r"4 messages leave on \w+ \d+ \w+, 12:00\.", content(answer))
    assert "Until then it can be stopped." in content(answer)


def test_at_night_preview_button_and_answer_name_the_same_time(manager: Browser, noon: dt.datetime) -> None:
    now = timezone.now()
    Salon.objects.update(time_zone=_zone_at(23, now))
    client = willing(noon)
    page = content(manager.get(f"/messages/new/?sel={client.pk}"))
    night = re.search(r"it leaves on (\w+ \d+ \w+, 07:00)\.", page)
    assert night is not None
    assert f"Send 1 e-mail on {night[1]}<" in page
    answer = content(manager.post("/messages/new/", form(client, expected="1"), follow=True))
    assert f"1 message leaves on {night[1]}." in answer
    assert "30 seconds" not in answer


def test_while_all_is_paused_the_answer_says_that_it_waits(manager: Browser, noon: dt.datetime, salon: Salon) -> None:
    client = willing(noon)
    Salon.objects.update(delivery="hold")
    answer = content(manager.post("/messages/new/", form(client), follow=True))
    assert "1 message waits until sending is resumed." in answer


def _zone_at(hour: int, now: dt.datetime) -> str:
    """Return a zone in which it is about this hour."""
    offset = (hour - now.hour + 11) % 24 - 11
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def test_half_a_time_and_a_time_at_night_are_said_at_the_field(manager: Browser, noon: dt.datetime) -> None:
    client, tomorrow = willing(noon), (noon + dt.timedelta(days=1)).date().isoformat()
    for fields, words in (
        ({"leave_on": tomorrow}, "it needs a day and a time"),
        ({"leave_on": tomorrow, "leave_at": "23:00"}, "No advertising leaves at that hour."),
        ({"leave_on": "2020-01-01", "leave_at": "12:00"}, "Choose a time to come"),
    ):
        answer = manager.post("/messages/new/", form(client, **fields))
        assert (answer.status_code, words in content(answer)) == (422, True), words
    assert not Campaign.objects.exists()


def test_a_stopped_one_shows_how_far_it_came_and_goes_on(manager: Browser, noon: dt.datetime) -> None:
    manager.post("/messages/new/", form(*[willing(noon) for _ in range(3)], factories.client()))
    campaign, page = Campaign.objects.get(), f"/messages/campaigns/{Campaign.objects.get().pk}/"
    Campaign.objects.update(not_before=noon - dt.timedelta(minutes=1))
    planner.plan(noon)
    Message.objects.filter(pk=Message.objects.earliest("pk").pk).update(state=State.CLAIMED)
    Message.objects.filter(state=State.CLAIMED).update(state=State.HANDOFF, handoff_at=noon, provider="smtp")
    Message.objects.filter(state=State.HANDOFF).update(state=State.ACCEPTED)
    shown = content(manager.get(page))
    assert re.search(r'value="33".*?1 of 3</span>', shown, re.DOTALL)
    assert "campaign-resume" not in shown
    manager.post(f"{page}stop/")
    assert "2 e-mails do not leave" in content(manager.get(page))
    shown = content(manager.get(page))
    assert "campaign-resume" in shown
    assert re.search(r"The promotion was stopped\.</small></div><b class=\"s-num\">2<", shown)
    manager.post(f"{page}resume/")
    campaign.refresh_from_db()
    assert (campaign.state, Message.objects.filter(state=State.PENDING).count()) == (Campaign.State.RUNNING, 2)
    assert "2 messages are still to leave." in content(manager.get(page))


def test_what_is_typed_goes_along_to_the_other_channel_and_back(manager: Browser, noon: dt.datetime) -> None:
    client = willing(noon)
    typed = {"sel": client.pk, "title": "Winter", "text": "A warm drink for you", "to": "sms"}
    by_sms = manager.post("/messages/new/", typed)
    assert by_sms.status_code == 200
    assert "A warm drink for you</textarea>" in content(by_sms)
    assert 'name="title" value="Winter"' in content(by_sms)
    back = content(manager.post("/messages/new/", typed | {"channel": "sms", "to": "email"}))
    assert "A warm drink for you</textarea>" in back
    assert 'value="Winter"' in back
    assert "There is a problem" not in back
