"""Mail filters open every link of a mail before its reader does, more than once: nothing may come of it (C5, I-31)."""

import datetime as dt
import email
import email.policy
import html
import html.parser
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client as Browser
from django.utils import timezone

from appointments import booking
from clients import choices, consent, stops, wording
from clients.models import Client
from notifications import dispatch, kinds, links, planner, sending
from notifications.models import Message, State
from salon.core import instance
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.smtp_sink import Sink
from tests.notifications import letters, marketing
from tests.notifications.test_smtp_transport import QUICK

pytestmark = pytest.mark.django_db

SITE = "https://carnet.example.org"
LANGUAGES = [code for code, _name in django_settings.LANGUAGES]
DAY = dt.timedelta(days=1)
# What the programs that look first say of themselves.
SCANNERS = (
    {"User-Agent": "Barracuda Sentinel (EE)"},
    {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch"},
    {"User-Agent": "Microsoft Office Outlook", "X-Moz": "prefetch", "X-Purpose": "preview", "Cookie": "sessionid=x; csrftoken=y"},
)
# What some of them try behind the address: what a form would post.
BEHIND = ("", "?List-Unsubscribe=One-Click", "?stop=1&everything=1&save=1&pause=30&resume=1&confirm=1")


# --- reading the links out of a mail ------------------------------------------------------------------------------


class _Links(html.parser.HTMLParser):
    """Collects what a page or the HTML of a mail leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in {"href", "src", "action", "background"} and value}


def links_in_html(text: str) -> set[str]:
    reader = _Links()
    reader.feed(text)
    return reader.found


def links_in_text(text: str) -> set[str]:
    return {found.rstrip(".,;:!?)>]'\"") for found in re.findall(r"https?://[^\s<>\"]+", text)}


def urls_of(mail: EmailMessage) -> set[str]:
    """Every web address of a mail: in its headers, its plain text and its HTML."""
    found: set[str] = set()
    for value in mail.values():
        found |= links_in_text(str(value))
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            text = part.get_content()
            is_html = part.get_content_subtype() == "html"
            found |= links_in_text(html.unescape(text)) | links_in_html(text) if is_html else links_in_text(text)
    return {url for url in found if url.startswith(("http://", "https://"))}


def test_the_search_finds_links_wherever_they_stand() -> None:
    mail = EmailMessage()
    mail["List-Unsubscribe"] = "<https://a.example/1>, <mailto:x@a.example>"
    mail.set_content("See https://a.example/2, or (https://a.example/3).\n")
    mail.add_alternative('<a href="https://a.example/4?x=1&amp;y=2">no</a><img src="https://a.example/5.gif">', subtype="html")
    parsed = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
    assert urls_of(parsed) == {f"https://a.example/{path}" for path in ("1", "2", "3", "4?x=1&y=2", "5.gif")}


# --- one mail of every kind, in every language --------------------------------------------------------------------


@pytest.fixture
def sink(salon: Salon, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    Salon.objects.update(public_url=SITE)
    instance.claim(Salon.objects.current())
    settings.ALLOWED_HOSTS = ["carnet.example.org", "testserver"]
    monkeypatch.setattr(sending, "IN_THE_BACKGROUND", QUICK)
    with Sink() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        yield server


def _told(now: dt.datetime, client: Client) -> Any:
    """A visit of which the client was told."""
    visit = factories.appointment(
        client=client, start_at=now + 5 * DAY, time_set_at=now - DAY / 24, staff=factories.staff(), is_notice_wanted=True
    )
    planner.plan(now)
    dispatch.deliver_due(now=now)
    return visit


def _moved(now: dt.datetime, client: Client, by: User) -> None:
    booking.move(_told(now, client), start_at=now + 6 * DAY, is_notice_wanted=True, by=by, now=now)


def _cancelled(now: dt.datetime, client: Client, by: User) -> None:
    booking.cancel(_told(now, client), is_notice_wanted=True, by=by, now=now)


def _tomorrow(now: dt.datetime, client: Client, by: User) -> None:
    factories.appointment(client=client, start_at=now + DAY, time_set_at=now - 3 * DAY, is_notice_wanted=False)


def _willing(now: dt.datetime, client: Client, by: User) -> None:
    marketing.says(client, "grant", timezone.now() - 10 * DAY)
    marketing.send(client, by=by, now=timezone.now(), key=f"key{client.pk}")


def _asked(now: dt.datetime, client: Client, by: User) -> None:
    text = wording.in_force(client.language)["mkt.review", "email"]
    consent.record(client, purpose="mkt.review", channel="email", event="pending", source="widget", text=text)


CAUSES: dict[str, Callable[[dt.datetime, Client, User], None]] = {
    "confirmation": lambda now, client, by: _told(now, client),
    "change": _moved,
    "cancellation": _cancelled,
    "reminder": _tomorrow,
    "promotion": _willing,
    "doi_request": _asked,
}


@pytest.fixture
def mails(sink: Sink, owner: User) -> list[EmailMessage]:
    """What the mail server got: every kind in every language, as the salon really sends it."""
    noon = timezone.localtime(timezone.now(), Salon.objects.current().zone).replace(hour=11, minute=0, second=0, microsecond=0)
    now = noon + DAY
    for language in LANGUAGES:
        for kind, cause in CAUSES.items():
            cause(now, factories.client(language=language, first_name=kind), owner)
    planner.plan(now + DAY / 24)
    dispatch.deliver_due(now=now + DAY / 24)
    sent = set(Message.objects.filter(state=State.ACCEPTED).values_list("kind", "language"))
    assert sent == {(kind, language) for kind in kinds.TABLE for language in LANGUAGES}
    assert len(sink.mails) == Message.objects.filter(state=State.ACCEPTED).count()
    return [mail.parsed for mail in sink.mails]


# --- the scanner --------------------------------------------------------------------------------------------------


def changed(before: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    """The tables that are not what they were."""
    after = letters.dump()
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))


WAYS = [(method, *how) for method in ("get", "head", "options") for how in zip(SCANNERS, BEHIND, strict=True)]


def scan(urls: set[str], browser: Browser) -> list[str]:
    """Open each address in every way that a mail filter does, twice, and what the pages lead to; say what came of it."""
    before, faults, led_to = letters.dump(), [], set()
    for _ in range(2):
        for url in sorted(urls):
            for method, headers, behind in [*WAYS, ("get", SCANNERS[1], "")]:
                answer = getattr(browser, method)(urlsplit(url).path + behind, headers=headers, secure=True)
                if answer.status_code != 200:
                    faults.append(f"{answer.status_code} {method} {url}{behind}")
                if answer.cookies or "Set-Cookie" in answer.headers:
                    faults.append(f"cookie {method} {url}{behind}")
                if method == "get" and not behind:
                    led_to |= {urljoin(url, path) for path in links_in_html(answer.content.decode())}
    for url in sorted(link for link in led_to if link.startswith(SITE) and "/static/" not in link):
        browser.get(url.removeprefix(SITE), secure=True)
    return [*faults, *(f"changed {table}" for table in changed(before))]


def browser_of(signed_in: Callable[[Role], Browser], who: str) -> Browser:
    return letters.browser() if who == "nobody" else signed_in(Role.OWNER)


@pytest.mark.parametrize("who", ["nobody", "the owner"])
def test_nothing_comes_of_opening_every_link_of_every_mail(
    mails: list[EmailMessage], who: str, signed_in: Callable[[Role], Browser]
) -> None:
    urls = {url for mail in mails for url in urls_of(mail)}
    assert {urlsplit(url).path[:3] for url in urls} == {"/u/", "/c/"}
    assert all(url.startswith(f"{SITE}/") for url in urls), "a mail leads elsewhere"
    assert all(urls_of(mail) for mail in mails), "every mail of ours holds a link"
    assert scan(urls, browser_of(signed_in, who)) == []


def test_the_links_are_live_ones(mails: list[EmailMessage]) -> None:
    """What was opened is what works: pressed, each of them changes something."""
    paths = {urlsplit(url).path for mail in mails for url in urls_of(mail)}
    for path in sorted(paths):
        before = letters.dump()
        letters.browser().post(path, secure=True)
        assert changed(before), path


# --- the controls -------------------------------------------------------------------------------------------------


@pytest.fixture
def one_link(sink: Sink) -> str:
    client = factories.client()
    letters.grant(client, at=timezone.now() - DAY)
    return f"{SITE}{letters.url(client)}"


def test_the_control_a_page_that_acts_when_it_is_opened_is_found(one_link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    look = choices.sheet

    def look_and_stop(link: stops.Link, **more: Any) -> Any:
        stops.by_click(link, now=timezone.now())
        return look(link, **more)

    assert scan({one_link}, letters.browser()) == []
    monkeypatch.setattr(choices, "sheet", look_and_stop)
    found = scan({one_link}, letters.browser())
    assert "changed clients_consentevent" in found
    assert "changed clients_address" in found


def test_the_control_a_page_that_acts_on_head_or_on_what_stands_behind_its_address_is_found(
    one_link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        link = links.read(request.path.strip("/").partition("/")[2])
        if link and (request.method == "HEAD" or "stop" in request.GET):
            choices.pause(link, 30, now=timezone.now())
        return render(request, *args, **more)

    monkeypatch.setattr("notifications.views.preferences.render", act)
    assert "changed clients_client" in scan({one_link}, letters.browser())


def test_the_control_a_cookie_and_a_dead_link_are_found(one_link: str, settings: Any) -> None:
    middleware = [name for name in settings.MIDDLEWARE if not name.endswith("of_nobody")]
    settings.MIDDLEWARE = ["tests.notifications.test_scanners.setting_a_cookie", *middleware]
    found = scan({one_link, f"{SITE}/nowhere/"}, letters.browser())
    assert any(fault.startswith(f"cookie get {one_link}") for fault in found)
    assert f"404 get {SITE}/nowhere/" in found


def setting_a_cookie(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.set_cookie("seen", "1")
        return response

    return middleware
