"""A mail as mail programs show it: text and HTML that say the same, nothing fetched, and the visit for the calendar."""

import base64
import datetime as dt
import email
import email.policy
import html
import re
from email.message import EmailMessage
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from appointments import booking
from notifications import daysoff, dispatch, kinds, letter, planner, sending, smsaccount
from notifications.channels import email as channel
from notifications.models import Message
from notifications.rendering import Rendered
from salon.core.models import Salon, User
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications import texting
from tests.notifications.letters import html_of, text_of

SENDER = sending.Sender("Atelier Nord", "a@example.org")
DAY = dt.timedelta(days=1)


def mail_of(body: str, *, look: str = "service", **more: Any) -> EmailMessage:
    words = Rendered("zoe@example.org", "fr", "Bonjour", body, look=look, salon="Atelier <Nord>", **more)
    raw = channel.build(words, message_id="<m.1@x>", sender=SENDER)
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    return email.message_from_bytes(raw, policy=email.policy.default)


def seen(text: str) -> str:
    """What a reader sees of HTML: the words of its body, in one line."""
    body = text.partition("<body")[2].partition(">")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ").split())


@pytest.mark.parametrize("look", ["service", "marketing", "system"])
def test_nothing_is_fetched_and_nobody_is_followed(look: str) -> None:
    dressed = html_of(mail_of("Bonjour\n\nhttps://salon.example/u/abc/\n\n-- \nLyon", look=look))
    assert not re.search(r"<(img|script|link|iframe|object|video)|\ssrc=|url\(|@import|\son\w+=", dressed)
    assert re.findall(r"https?://[^\"<\s]+", dressed) == ["https://salon.example/u/abc/"]
    assert "prefers-color-scheme: dark" in dressed
    assert len(dressed.encode()) < 4000


def test_the_button_of_a_message_says_what_it_does_and_another_where_it_leads() -> None:
    own, other = "https://salon.example/u/abc/", "https://reviews.example/nord"
    dressed = html_of(mail_of(f"Bonjour\n\n{own}\n\n{other}\n\n-- \nLyon", button=(own, "Donner <mon> avis")))
    assert re.findall(r'class="k" href="([^"]+)"[^>]*>([^<]*)<', dressed) == [
        (own, "Donner &lt;mon&gt; avis"),
        (other, "reviews.example/nord"),
    ]


@given(text=st.text(max_size=200), footer=st.text(max_size=60))
def test_whatever_is_said_the_html_says_it_too_and_adds_no_tag(text: str, footer: str) -> None:
    clean = [re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]|http", "", one).replace("\r", "") for one in (text, footer)]
    body = f"{clean[0]}{letter.FOOTER}{clean[1]}"
    dressed = letter.dress(Rendered("a@example.org", "en", "x", body, look="service", salon=""))
    said, _sign, foot = body.partition(letter.FOOTER)
    assert seen(dressed) == " ".join(f"{said} {foot}".replace("\u00a0", " ").split())
    assert set(re.findall(r"</?([a-z]+)", dressed.partition("<body")[2])) <= {"div", "p", "br", "b", "body", "html"}


def test_markup_in_a_name_is_text() -> None:
    dressed = html_of(mail_of('Bonjour <b onclick="x">Eve</b> & {title}\n\n-- \n<script>x</script>'))
    assert "<script" not in dressed
    assert 'onclick="x"' not in dressed.replace("&quot;", "") or "&lt;b" in dressed
    assert "Atelier &lt;Nord&gt;" in dressed


def test_a_boundary_cannot_be_guessed_and_the_parts_read_back() -> None:
    mail = mail_of("--=_a\nx\n\n-- \nfoot", event=b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", event_method="PUBLISH")
    assert mail.get_content_type() == "multipart/mixed"
    assert text_of(mail).splitlines()[0] == "--=_a"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_calendar_follows_the_visit_from_booking_to_cancellation(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime, reception: User
) -> None:
    """One entry: the same UID, a higher SEQUENCE when it moves, METHOD:CANCEL at its end."""
    visit = factories.appointment(start_at=now + 5 * DAY, time_set_at=now - DAY / 24, is_notice_wanted=True)

    def sent(at: dt.datetime) -> tuple[EmailMessage, Any, Any]:
        planner.plan(at)
        dispatch.deliver_due(now=at)
        mail = email.message_from_bytes(fake.delivered[-1].raw, policy=email.policy.default)
        part = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
        calendar = Calendar.from_ical(base64.b64decode(str(part.get_payload())))
        assert part.get_param("method") == calendar["METHOD"]
        return mail, calendar, next(iter(calendar.walk("VEVENT")))

    _mail, calendar, first = sent(now)
    assert (calendar["METHOD"], first["STATUS"], first.decoded("DTSTART")) == ("PUBLISH", "CONFIRMED", visit.start_at)
    assert first.decoded("DTEND") == visit.end_at
    assert "Coupe" in first["SUMMARY"]
    moved = booking.move(visit, start_at=now + 6 * DAY, is_notice_wanted=True, by=reception, now=now)
    _mail, calendar, second = sent(now + DAY / 24)
    assert (calendar["METHOD"], second.decoded("DTSTART")) == ("PUBLISH", moved.start_at)
    assert int(second["SEQUENCE"]) > int(first["SEQUENCE"])
    booking.cancel(moved, is_notice_wanted=True, by=reception, now=now + DAY / 12)
    _mail, calendar, third = sent(now + DAY / 8)
    assert (calendar["METHOD"], third["STATUS"]) == ("CANCEL", "CANCELLED")
    assert first["UID"] == second["UID"] == third["UID"]


@pytest.mark.parametrize(
    ("country", "on", "is_off"),
    [
        ("FR", dt.date(2026, 7, 14), True), ("FR", dt.date(2026, 5, 14), True), ("FR", dt.date(2026, 10, 3), False),
        ("DE", dt.date(2026, 10, 3), True), ("DE", dt.date(2026, 7, 14), False),
        ("GB", dt.date(2026, 12, 28), True), ("GB", dt.date(2026, 12, 29), False),
    ],
)  # fmt: skip
def test_public_holidays_are_the_countrys(country: str, on: dt.date, is_off: bool) -> None:
    noon = dt.datetime.combine(on, dt.time(12), dt.UTC)
    assert (on in daysoff.for_hours(kinds.MARKETING_HOURS["sms"], country, "", noon)) is is_off
    assert daysoff.for_hours(kinds.MARKETING_HOURS["email"], country, "", noon) == frozenset()


def test_no_text_message_with_advertising_waits_past_the_holidays() -> None:
    """I-17, I-18: Christmas of 2026 in Germany is a Friday and a Saturday, and then comes Sunday."""
    zone = factories.PARIS
    at = dt.datetime(2026, 12, 24, 20, 0, tzinfo=zone)
    days = daysoff.for_hours(kinds.MARKETING_HOURS["sms"], "DE", "", at)
    assert kinds.MARKETING_HOURS["sms"].first(at, zone, days) == dt.datetime(2026, 12, 28, 8, 0, tzinfo=zone)
    with pytest.raises(LookupError):
        daysoff.for_hours(kinds.MARKETING_HOURS["sms"], "XX", "", at)


@pytest.mark.parametrize(
    ("country", "region", "on", "is_off"),
    [
        # From the calendars of the regions: Corpus Christi, All Saints, Reformation Day.
        ("DE", "BY", dt.date(2026, 6, 4), True), ("DE", "BE", dt.date(2026, 6, 4), False),
        ("DE", "", dt.date(2026, 6, 4), False), ("DE", "BY", dt.date(2026, 11, 1), True),
        ("DE", "SN", dt.date(2026, 10, 31), True), ("DE", "BY", dt.date(2026, 10, 31), False),
        # Good Friday and Boxing Day; 2 January, no Easter Monday; St Patrick.
        ("FR", "6AE", dt.date(2026, 4, 3), True), ("FR", "", dt.date(2026, 4, 3), False),
        ("FR", "6AE", dt.date(2026, 12, 26), True), ("GB", "SCT", dt.date(2026, 1, 2), True),
        ("GB", "ENG", dt.date(2026, 1, 2), False), ("GB", "SCT", dt.date(2026, 4, 6), False),
        ("GB", "ENG", dt.date(2026, 4, 6), True), ("GB", "NIR", dt.date(2026, 3, 17), True),
    ],
)  # fmt: skip
def test_public_holidays_are_the_regions_own(country: str, region: str, on: dt.date, is_off: bool) -> None:
    """I-17, for Länder, Alsace and Moselle, and the nations of the United Kingdom."""
    noon = dt.datetime.combine(on, dt.time(12), dt.UTC)
    assert (on in daysoff.for_hours(kinds.MARKETING_HOURS["sms"], country, region, noon)) is is_off


@pytest.mark.django_db
@pytest.mark.parametrize(("region", "state"), [("6AE", "pending"), ("", "accepted")])
def test_an_offer_by_sms_waits_for_the_end_of_a_regions_holiday(
    sending_salon: Salon, owner: User, monkeypatch: pytest.MonkeyPatch, region: str, state: str
) -> None:
    """At the page, in the plan and at the hand-over: Boxing Day of 2025, a Friday, is a holiday in Strasbourg and not in Lyon."""
    at = dt.datetime(2025, 12, 26, 11, 0, tzinfo=factories.PARIS)
    monkeypatch.setattr(timezone, "now", lambda: at)
    Salon.objects.update(region=region, public_url=texting.SITE)
    texting.account()
    carrier = FakeProvider("twilio")
    monkeypatch.setattr(smsaccount, "provider", lambda **more: carrier)
    texting.send(texting.willing(at), by=owner, now=at)
    planner.plan(at)
    dispatch.deliver_due(now=at + dt.timedelta(seconds=31))
    message = Message.objects.get()
    assert message.state == state
    if region:
        assert message.not_before == dt.datetime(2025, 12, 27, 8, 0, tzinfo=factories.PARIS)
