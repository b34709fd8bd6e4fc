"""The activity page: who did what when, filtered, in pages, in words, and only for who may."""

import datetime as dt
import html
from collections.abc import Callable, Iterator

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import records, tagging, tags
from notifications.models import Message
from salon.core import activity, audit
from salon.core.activity import Wanted
from salon.core.models import AuditEvent, User
from salon.core.roles import Role
from tests import factories, people
from tests.house.test_deeds import FACTS, codes_of
from tests.house.test_sources import SOURCES

SignIn = Callable[[Role], Browser]
PATH = "/settings/activity/"
NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def told(user: User, wanted: Wanted = Wanted(), *, before: int | None = None) -> list[str]:  # noqa: B008
    days = activity.page(user, wanted, before=before, now=timezone.now()).days
    return [f"{line.before}{line.who}{line.after}" for day in days for line in day.lines]


def text(browser: Browser, path: str = PATH) -> str:
    return browser.get(path).content.decode()


def test_an_act_is_told_with_who_did_it_and_a_link_to_the_card(signed_in: SignIn, reception: User) -> None:
    client = records.add(by=reception, first_name="Anna", last_name="Berg")
    records.edit(client, by=reception, version=client.version, first_name="Anne", email="anne@example.org")
    page = text(signed_in(Role.MANAGER))
    assert "<b>Sofia Klein</b> changed the details: first name, e-mail" in page
    assert f'<a href="/clients/{client.pk}/">Anne Berg</a>' in page
    assert "anne@example.org" not in page, "field names, never what stands in them"


def test_the_newest_act_comes_first_and_pages_do_not_overlap(owner: User) -> None:
    with time_machine.travel(NOW, tick=False):
        for number in range(activity.PER_PAGE + 10):
            audit.record("client.added_many", by=owner, clients_count=number)
    first = activity.page(owner, Wanted(), before=None, now=NOW)
    lines = [line.pk for day in first.days for line in day.lines]
    assert first.older is not None
    rest = activity.page(owner, Wanted(), before=first.older, now=NOW)
    lines += [line.pk for day in rest.days for line in day.lines]
    assert rest.older is None
    assert lines == list(AuditEvent.objects.order_by("-pk").values_list("pk", flat=True)), "acts of one moment too"


def test_the_next_page_keeps_the_filter_and_leads_back(signed_in: SignIn, owner: User, reception: User) -> None:
    for number in range(activity.PER_PAGE + 1):
        audit.record("client.added_many", by=reception, clients_count=1000 + number)
        audit.record("client.added_many", by=owner, clients_count=1000 + number)
    browser = signed_in(Role.OWNER)
    page = text(browser, f"{PATH}?person={reception.pk}&kind=lists")
    assert "Newest" not in page
    older = html.unescape(page[: page.index('id="activity-older"')].rpartition('href="')[2].rpartition('"')[0])
    assert f"person={reception.pk}&kind=lists" in older
    last = text(browser, older)
    assert "<b>Sofia Klein</b> added 1000 clients" in last
    assert "<b>Olivia Moreau</b> added" not in last
    assert "Older" not in last
    assert f'href="{PATH}?person={reception.pk}&amp;kind=lists" id="activity-newest"' in last
    part = browser.get(older, headers={"HX-Request": "true", "HX-Trigger": "activity-older"}).content.decode()
    assert part.count("data-focus") == 1, "the focus goes to the heading of the new page"
    assert "1 entry</p>" in part


def test_a_page_after_an_act_that_has_gone_begins_at_the_top(owner: User) -> None:
    audit.record("setup.taken", by=owner)
    assert told(owner, before=999_999_999) == ["Olivia Moreau set up the salon"]


def test_acts_are_found_by_person_kind_and_day(owner: User, reception: User) -> None:
    with time_machine.travel(NOW - dt.timedelta(days=3)):
        audit.record("team.joined", reception, by=reception)
    with time_machine.travel(NOW):
        audit.record("client.added_many", by=owner, clients_count=2)
        audit.record("client.removed_many", clients_count=2)
    assert told(owner, Wanted(person=str(reception.pk))) == ["Sofia Klein joined the team"]
    assert told(owner, Wanted(person=activity.HOUSE)) == ["Carnet removed 2 cards that an import had made"]
    assert told(owner, Wanted(kind="team")) == ["Sofia Klein joined the team"]
    assert told(owner, Wanted(kind="lists", person=str(owner.pk))) == ["Olivia Moreau added 2 clients"]
    day = dt.date(2026, 11, 15)
    assert told(owner, Wanted(first_on=day, last_on=day)) == ["Sofia Klein joined the team"]
    assert len(told(owner, Wanted(first_on=day + dt.timedelta(days=1)))) == 2


def test_a_day_of_the_filter_is_a_day_of_the_salon(owner: User) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 17, 23, 30, tzinfo=dt.UTC)):  # half past midnight in Lyon
        audit.record("setup.taken", by=owner)
    timezone.activate("Europe/Paris")
    assert told(owner, Wanted(first_on=dt.date(2026, 11, 18), last_on=dt.date(2026, 11, 18)))
    assert not told(owner, Wanted(last_on=dt.date(2026, 11, 17)))


def test_the_acts_of_a_client_are_those_on_the_card_its_visits_and_its_messages(owner: User) -> None:
    visit, other = factories.appointment(), factories.client()
    assert visit.client is not None
    message = Message.objects.create(
        kind="reminder", channel="email", client=visit.client, appointment=visit, occasion="a", state="pending",
        not_before=visit.start_at, expires_at=visit.start_at,
    )  # fmt: skip
    audit.record("client.note_written", visit.client, by=owner)
    audit.record("appointment.cancel", visit, by=owner)
    audit.record("message.stop", message, by=owner, kind="reminder")
    audit.record("client.note_written", other, by=owner)
    audit.record("service.add", visit.service, by=owner)  # the same number, another table
    assert [line.partition("Moreau ")[2] for line in told(owner, Wanted(clients=[visit.client.pk]))] == [
        "stopped a message: Reminder", "cancelled the appointment", "wrote the client note",
    ]  # fmt: skip


def test_an_act_on_many_cards_is_one_line_but_where_the_page_is_about_a_card(owner: User) -> None:
    cards = [records.add(by=None, first_name=name) for name in ("Anna", "Bea")]
    tagging.add([card.pk for card in cards], name="regular", by=owner, now=NOW)
    tagging.add([cards[0].pk], name="bridal", by=owner, now=NOW)
    mine = Wanted(person=str(owner.pk))
    assert [words for words in told(owner, mine) if "regular" in words] == ["Olivia Moreau added the tag regular to 2 clients"]
    assert [words for words in told(owner, mine) if "bridal" in words] == ["Olivia Moreau added the tag bridal to 1 client"]
    whole = AuditEvent.objects.filter(action="clients.tagged").latest("pk")
    assert told(owner, Wanted(of=whole.pk)) == ["Olivia Moreau added the tag bridal"], "the line opens to the card"
    of_one = told(owner, Wanted(clients=[cards[0].pk]))
    assert "Olivia Moreau added the tag regular" in of_one


def test_the_card_leads_to_its_activity_for_who_may_see_it(signed_in: SignIn, owner: User) -> None:
    client = records.add(by=owner, last_name="Berg")
    link = f"{PATH}?client={client.pk}"
    assert link in text(signed_in(Role.MANAGER), f"/clients/{client.pk}/")
    assert link not in text(signed_in(Role.RECEPTION), f"/clients/{client.pk}/")
    page = text(signed_in(Role.MANAGER), link)
    assert "made the card" in page
    assert f'value="{client.pk}"' in page, "the filter keeps the client"


def test_a_client_is_found_by_name(signed_in: SignIn, owner: User) -> None:
    records.add(by=owner, first_name="Anna", last_name="Berg")
    records.add(by=owner, last_name="Zeh")
    page = text(signed_in(Role.OWNER), f"{PATH}?q=berg")
    assert "Anna Berg" in page
    assert ">Zeh<" not in page
    assert "Nothing was done that fits" in text(signed_in(Role.OWNER), f"{PATH}?q=nobody")


def test_what_is_no_longer_there_is_told_without_a_link(owner: User) -> None:
    client = factories.client()
    tag = tags.add(client=client, name="bridal", by=owner)
    assert told(owner)[0] == "Olivia Moreau added the tag bridal"
    assert tag is not None
    tag.delete()
    assert told(owner)[0] == "Olivia Moreau added the tag (no longer there)"
    client.delete()
    (day,) = activity.page(owner, Wanted(), before=None, now=timezone.now()).days
    assert day.lines[0].about is None


def test_a_code_that_nobody_tells_any_more_is_shown_as_it_is(owner: User) -> None:
    audit.record("client.teleported", by=owner)
    assert told(owner) == ["Olivia Moreau: client.teleported"]


def test_an_old_event_without_its_facts_is_told_with_a_dash(owner: User) -> None:
    audit.record("client.added_many", by=owner)
    assert told(owner) == ["Olivia Moreau added – clients"]


def test_nonsense_in_the_address_shows_the_page(signed_in: SignIn, owner: User) -> None:
    for query in (
        "before=x",
        "before=-1",
        "client=x&person=x",
        "kind=x",
        "first_on=2026-02-31",
        "last_on=9999-12-31",
        "person=1e9",
    ):
        assert signed_in(Role.OWNER).get(f"{PATH}?{query}").status_code == 200, query


def test_a_fragment_is_the_same_list(signed_in: SignIn, owner: User) -> None:
    audit.record("setup.taken", by=owner)
    browser = signed_in(Role.OWNER)
    part = browser.get(PATH, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="activity"')
    assert part[: part.index("</section>")].strip() in text(browser)


def test_the_page_asks_as_often_for_fifty_acts_as_for_one_of_each(owner: User, salon: object) -> None:
    visit = factories.appointment()
    subjects = {
        "client": visit.client,
        "appointment": visit,
        "consent": visit.client,
        "service": visit.service,
        "staff": visit.staff,
    }

    def write(times: int) -> None:
        for code in list(codes_of(SOURCES)) * times:
            audit.record(code, subjects.get(code.partition(".")[0]), by=owner, **FACTS)

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            activity.page(owner, Wanted(person=str(owner.pk), clients=[visit.client.pk]), before=None, now=NOW)  # type: ignore[union-attr]
        return len(queries)

    for code in ("client.added", "appointment.cancel"):
        audit.record(code, subjects[code.partition(".")[0]], by=owner)
    few = count()
    write(1)
    many = count()
    assert many <= few + 3, "a table more, never an act more"
    write(2)
    assert count() == many


# --- sign-ins ------------------------------------------------------------------------------------------------------


def log_in(email: str, password: str = people.PASSWORD) -> Browser:
    browser = Browser()
    browser.post("/accounts/login/", {"login": email, "password": password})
    return browser


def actions() -> list[tuple[str, int | None]]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", "subject_id"))


def test_a_sign_in_and_a_wrong_password_are_written_down(owner: User) -> None:
    log_in(owner.email, "wrong")
    log_in("stranger@example.org", "wrong")
    log_in(owner.email)
    assert actions() == [("user.sign_in_failed", owner.pk), ("user.sign_in_unknown", None), ("user.signed_in", owner.pk)]
    assert told(owner) == [
        "Olivia Moreau signed in",
        "Somebody tried to sign in with an address that nobody here has",
        "Somebody tried to sign in with a wrong password",
    ]
    assert "stranger" not in str(list(AuditEvent.objects.values()))


def test_a_locked_account_is_written_down_once_however_often_it_is_tried(owner: User) -> None:
    for _try in range(9):
        log_in(owner.email, "wrong")
    assert [action for action, _pk in actions()].count("user.sign_in_failed") == 5
    assert [action for action, _pk in actions()].count("user.locked_out") == 1


def test_a_sign_in_counts_only_with_the_second_factor(owner: User) -> None:
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    browser = log_in(owner.email)
    assert actions() == []
    browser.post("/accounts/mfa/authenticate/", {"code": "000000"})
    assert actions() == [("user.code_failed", owner.pk)]


def test_a_changed_password_is_written_down(owner: User) -> None:
    browser, new = log_in(owner.email), "quite another passphrase"
    browser.post("/accounts/password/change/", {"oldpassword": people.PASSWORD, "password1": new, "password2": new})
    owner.refresh_from_db()
    assert owner.check_password(new)
    assert ("user.password_changed", owner.pk) in actions()
