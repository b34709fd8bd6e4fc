"""One mail of every kind in every language, as the mail server gets it: what its links do, and what it may carry.

Mail filters open every link before the reader does, more than once: nothing may come of it (C5, I-31). Only advertising
has a way out of advertising, exactly one (I-14).
"""

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
from hypothesis import given
from hypothesis import strategies as st

from appointments import booking
from clients import choices, consent, stops, wording
from clients.models import Client, ConsentEvent
from notifications import choicelink, dispatch, filling, kinds, links, planner, rendering, sending, texts
from notifications.channels import email as channel
from notifications.models import MARKETING, Campaign, Message, State, Trigger
from salon.core import audit, instance
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.smtp_sink import Sink
from tests.generated import IS_THOROUGH, cases
from tests.notifications import letters, marketing
from tests.notifications.test_smtp_transport import QUICK

pytestmark = pytest.mark.django_db

SITE = "https://carnet.example.org"
# Where the salon collects its reviews: not ours.
REVIEWS = "https://reviews.example.org/atelier-nord"
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
    return {url for url in found if url.startswith(("http://", "https://")) and url != REVIEWS}


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


def _moment(kind: str, now: dt.datetime, client: Client) -> None:
    """Let the salon send a kind by itself, and the client want it."""
    more = {"target": REVIEWS, "delay": 0} if kind == "review" else {}
    Trigger.objects.update_or_create(kind=kind, defaults={"is_on": True, **more})
    marketing.says(client, "grant", timezone.now() - 10 * DAY, purpose=f"mkt.{kind}")


def _birthday(now: dt.datetime, client: Client, by: User) -> None:
    local = now.astimezone(Salon.objects.current().zone)
    Client.objects.filter(pk=client.pk).update(birth_month=local.month, birth_day=local.day)
    _moment("birthday", now, client)


def _new(now: dt.datetime, client: Client, by: User) -> None:
    audit.record("client.added", client, by=by)
    _moment("welcome", now, client)


def _was_here(days: int) -> Callable[[dt.datetime, Client, User], None]:
    def cause(now: dt.datetime, client: Client, by: User) -> None:
        start_at = now - days * DAY
        factories.appointment(client=client, start_at=start_at, time_set_at=start_at - DAY, state="done", is_notice_wanted=False)
        _moment("rebook" if days > 7 else "review", now, client)

    return cause


def _asked(now: dt.datetime, client: Client, by: User) -> None:
    text = wording.in_force(client.language)["mkt.review", "email"]
    consent.record(client, purpose="mkt.review", channel="email", event="pending", source="widget", text=text)


CAUSES: dict[str, Callable[[dt.datetime, Client, User], None]] = {
    "confirmation": lambda now, client, by: _told(now, client),
    "change": _moved,
    "cancellation": _cancelled,
    "reminder": _tomorrow,
    "promotion": _willing,
    "birthday": _birthday,
    "welcome": _new,
    "rebook": _was_here(43),
    "review": _was_here(1),
    "doi_request": _asked,
    "choices": lambda now, client, by: choicelink.send(client, by=by, now=now),
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
    assert sent == {(kind, language) for kind, row in kinds.TABLE.items() if "email" in row.hours for language in LANGUAGES}
    assert len(sink.mails) == Message.objects.filter(state=State.ACCEPTED).count()
    return [mail.parsed for mail in sink.mails]


# --- the scanner --------------------------------------------------------------------------------------------------


def changed(before: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    """The tables that are not what they were."""
    after = letters.dump()
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))


WAYS = [(method, *how) for method in ("get", "head", "options") for how in zip(SCANNERS, BEHIND, strict=True)]


def scan(urls: set[str], browser: Browser) -> list[str]:
    """Open each address in every way that a mail filter does, and what the pages lead to; say what came of it."""
    before, faults, led_to = letters.dump(), [], set()
    for _ in range(2 if IS_THOROUGH else 1):
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
        lines = [line.pk for line in letters.browser().get(path, secure=True).context["found"].lines] if path[:3] == "/c/" else []
        letters.browser().post(path, {"line": lines} if lines else {}, secure=True)
        assert changed(before), path


# --- what a mail may carry ----------------------------------------------------------------------------------------


def kind_of(mail: EmailMessage) -> kinds.Kind:
    pk = str(mail["Message-ID"]).removeprefix("<m.").partition(".")[0]
    return kinds.TABLE[Message.objects.get(pk=pk).kind]


def words_of_advertising(language: str) -> set[str]:
    """What only the foot of an advertisement says: its words between the placeholders."""
    text = (texts.FOLDER / "_footer" / language / "marketing.txt").read_text(encoding="utf-8")
    return {words.strip() for words in re.split(r"\{[^{}]*\}|[\[\]|\n]", text) if len(words.strip()) > 12}


def way_out(head: dict[str, str], text: str) -> str:
    """The one address by which an advertisement is stopped, "" if header and text do not name the same one, once."""
    found = re.findall(rf"{re.escape(SITE)}/u/[^\s<>]+", text)
    is_first = head.get("List-Unsubscribe", "").partition(",")[0] == f"<{found[0]}>" if found else False
    return found[0] if is_first and len(found) == 1 and head.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click" else ""


def test_advertising_has_one_way_out_that_works_and_nothing_else_has_any(mails: list[EmailMessage]) -> None:
    for mail in mails:
        head, text = {name: str(value) for name, value in mail.items()}, letters.text_of(mail)
        said = {words for words in words_of_advertising(head["Content-Language"]) if words in text}
        if kind_of(mail).is_marketing:
            assert len(said) >= 3, "control: these are the words"
            browser, url = letters.browser(), way_out(head, text)
            assert browser.post(urlsplit(url).path, {"List-Unsubscribe": "One-Click"}, secure=True).content == b"OK\n"
        else:
            assert not said
            dressed = html.unescape(letters.html_of(mail))
            assert not {words for words in words_of_advertising(head["Content-Language"]) if words in dressed}
            assert not {name for name in head if name.lower().startswith("list-")}
            assert len(links_in_text(text)) == 1
    stopped = set(ConsentEvent.objects.filter(event="object").values_list("subject__client", flat=True))
    assert stopped == set(Message.objects.filter(kind__in=MARKETING).values_list("client", flat=True))


# Names as somebody types them who wants more from a text than it gives.
names = st.text(max_size=20) | st.sampled_from(
    ["{unsubscribe_link}", "[{offer_text}|x]", f"{SITE}/u/abc/", "List-Unsubscribe: <https://evil.example>",
     "a\r\nList-Unsubscribe: x", "{preferences_link}", "{consent_date}", "]|[", "{{x}}", "{"]
)  # fmt: skip
GENERATED = cases(50)


@GENERATED
@given(kind=st.sampled_from([name for name, one in kinds.TABLE.items() if one.is_about_a_start]),
       language=st.sampled_from(LANGUAGES), first=names, what=names, who=names, where=names)  # fmt: skip
def test_no_name_makes_advertising_of_a_message_about_a_visit(
    sink: Sink, kind: str, language: str, first: str, what: str, who: str, where: str
) -> None:
    visit = factories.appointment(client=factories.client(first_name="x", language=language))
    visit.client.first_name, visit.service.name, visit.staff.name = first, what, who  # type: ignore[union-attr]
    salon = Salon.objects.current()
    salon.name = where or "x"
    message = Message(pk=1, kind=kind, channel="email", client=visit.client, appointment=visit, told_start_at=visit.start_at)
    try:
        words = rendering.render(message, salon)
    except filling.TemplateError:
        return  # a name of nothing but control characters: not sent at all
    raw = channel.build(words, message_id="<m.1@x>", sender=sending.Sender(salon.name, "a@example.org"))
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert not {name for name in parsed if name.lower().startswith("list-")}
    typed = sum(value.count(f"{SITE}/u/") * words.body.count(value) for value in {first, what, who, salon.name} if value)
    assert words.body.count(f"{SITE}/u/") - typed <= 1
    assert not {one for one in words_of_advertising(language) if one in words.body}


@GENERATED
@given(title=names, text=names, conditions=names, language=st.sampled_from(LANGUAGES))
def test_whatever_the_salon_writes_an_advertisement_has_its_way_out_or_is_refused(
    sink: Sink, title: str, text: str, conditions: str, language: str
) -> None:
    client = factories.client(language=language)
    marketing.says(client, "grant", timezone.now() - DAY)
    campaign = Campaign(kind="promotion", channel="email", title=title, text=text, conditions=conditions)
    message = Message(pk=1, kind="promotion", channel="email", client=client, campaign=campaign)
    try:
        words = rendering.render(message, Salon.objects.current())
    except filling.TemplateError:
        return
    raw = channel.build(words, message_id="<m.1@x>", sender=sending.Sender("x", "a@example.org"))
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    good = f"{SITE}{letters.url(client)}"
    assert parsed.get_all("List-Unsubscribe") == [f"<{good}>"]
    assert parsed.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert words.body.count(good) == 1


def test_the_control_what_an_advertisement_would_look_like_in_a_message_about_a_visit_is_found(
    mails: list[EmailMessage],
) -> None:
    advert = next(mail for mail in mails if kind_of(mail).is_marketing)
    head, text = {name: str(value) for name, value in advert.items()}, letters.text_of(advert)
    assert way_out(head, text)
    assert not way_out({**head, "List-Unsubscribe": "<mailto:a@example.org>"}, text)
    assert not way_out(head, f"{text}\n{SITE}/u/another/")
    assert not way_out({name: value for name, value in head.items() if name != "List-Unsubscribe-Post"}, text)


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
    settings.MIDDLEWARE = ["tests.notifications.test_every_mail.setting_a_cookie", *middleware]
    found = scan({one_link, f"{SITE}/nowhere/"}, letters.browser())
    assert any(fault.startswith(f"cookie get {one_link}") for fault in found)
    assert f"404 get {SITE}/nowhere/" in found


def setting_a_cookie(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.set_cookie("seen", "1")
        return response

    return middleware
