"""One click stops marketing to an address, from anywhere and without a sign-in (RFC 8058; C4, C5, I-03, I-31 to I-33, I-43)."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clients import addresses, consent, stops
from clients.models import Address, Client, ConsentEvent, Standing, Subject
from notifications import links
from salon.core.models import Salon
from salon.core.roles import Role
from tests import factories
from tests.generated import cases
from tests.house.walk import addresses as addresses_of_the_house
from tests.notifications import letters

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
URLENCODED = "application/x-www-form-urlencoded"
BODIES: dict[str, dict[str, Any]] = {
    "urlencoded": {"data": "List-Unsubscribe=One-Click", "content_type": URLENCODED},
    "multipart": {"data": ONE_CLICK},
    "empty": {"data": "", "content_type": URLENCODED},
    "empty multipart": {"data": "", "content_type": "multipart/form-data"},
    "nothing at all": {"data": b"", "content_type": ""},
    "plain": {"data": "List-Unsubscribe=One-Click", "content_type": "text/plain"},
    "ascii": {"data": "List-Unsubscribe=One-Click", "content_type": f"{URLENCODED}; charset=us-ascii"},
    "latin": {"data": "List-Unsubscribe=One-Click", "content_type": f"{URLENCODED}; charset=ISO-8859-1"},
    "utf": {"data": "List-Unsubscribe=One-Click", "content_type": f"{URLENCODED}; charset=UTF8"},
    "multipart without a boundary": {"data": "List-Unsubscribe=One-Click", "content_type": "multipart/form-data"},
    "zero byte": {"data": "List-Unsubscribe=One-Click%00&save%00=", "content_type": URLENCODED},
}


@pytest.fixture
def amelie(salon: Salon) -> Client:
    client = factories.client(email="amelie@example.org")
    letters.grant(client, at=timezone.now() - dt.timedelta(days=9))
    return client


@pytest.mark.parametrize("body", BODIES)
def test_one_click_stops_marketing_at_once_and_twice_is_once(amelie: Client, body: str) -> None:
    others = {"Origin": "https://mail.example.net", "Referer": "https://mail.example.net/inbox"}
    answers = [letters.browser().post(letters.url(amelie), headers=others, **BODIES[body]) for _ in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"OK\n")] * 3
    assert [dict(answer.cookies) for answer in answers] == [{}] * 3
    stop = ConsentEvent.objects.get(event="object")
    said = (stop.purpose, stop.channel, stop.source, stop.actor_type, stop.evidence_level, stop.actor)
    assert said == ("*", "email", "one_click_post", "client", 3, None)
    assert stop.address_hmac == consent.address_hash(amelie, "email")
    assert Address.objects.get(hmac=stop.address_hmac).scope == "marketing"
    assert {consent.standing(amelie, purpose, "email") for purpose in consent.MARKETING} == {"withdrawn"}
    assert consent.standing(amelie, "svc.reminder", "email") == "unknown"


def test_the_stop_is_for_the_address_whoever_has_it(amelie: Client) -> None:
    letters.browser().post(letters.url(amelie), ONE_CLICK)
    child = factories.client(first_name="Zoé", email="AMELIE@example.org")
    assert Address.objects.get(hmac=consent.address_hash(child, "email")).scope == "marketing"
    assert consent.standing(child, "mkt.promotion", "email") == "unknown"  # what she said for herself is another matter


def test_a_link_to_an_address_that_the_card_has_no_more_stops_that_address_and_the_card(amelie: Client) -> None:
    old_url, old_hash = letters.url(amelie), consent.address_hash(amelie, "email")
    addresses.ensure("email", [old_hash])
    Client.objects.filter(pk=amelie.pk).update(email="new@example.org")
    amelie.refresh_from_db()
    for _ in range(2):
        assert letters.browser().post(old_url, ONE_CLICK).status_code == 200
    assert ConsentEvent.objects.get(event="object").address_hmac == old_hash
    assert Address.objects.get(hmac=old_hash).scope == "marketing"
    assert not Address.objects.filter(hmac=consent.address_hash(amelie, "email"), scope="marketing").exists()
    assert consent.standing(amelie, "mkt.promotion", "email") == "withdrawn"


def test_a_new_yes_after_the_stop_can_be_stopped_again(amelie: Client) -> None:
    letters.browser().post(letters.url(amelie), ONE_CLICK)
    consent.record(amelie, purpose="mkt.review", channel="email", event="grant", source="preference_page")
    assert consent.standing(amelie, "mkt.review", "email") == "granted"
    letters.browser().post(letters.url(amelie), ONE_CLICK)
    assert ConsentEvent.objects.filter(event="object").count() == 2
    assert consent.standing(amelie, "mkt.review", "email") == "withdrawn"


def test_a_click_after_a_stop_ends_a_request_that_waits_since(amelie: Client) -> None:
    letters.browser().post(letters.url(amelie), ONE_CLICK)
    consent.record(amelie, purpose="mkt.review", channel="email", event="pending", source="widget")
    assert consent.standing(amelie, "mkt.review", "email") == "pending"
    for _ in range(2):
        letters.browser().post(letters.url(amelie), ONE_CLICK)
    assert consent.standing(amelie, "mkt.review", "email") == "withdrawn"
    assert ConsentEvent.objects.filter(event="object").count() == 2


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_a_scanner_that_opens_a_link_changes_nothing(amelie: Client, method: str, signed_in: Callable[[Role], Browser]) -> None:
    staff = signed_in(Role.OWNER)
    before = letters.dump()
    for visitor in (letters.browser(), staff):
        for path in (letters.url(amelie), letters.url(amelie, "sms"), letters.url(amelie) + "?lang=de", "/u/wrong/"):
            answer = getattr(visitor, method)(path)
            assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert letters.dump() == before


def test_the_dump_sees_a_stop(amelie: Client) -> None:
    before = letters.dump()
    letters.browser().post(letters.url(amelie), ONE_CLICK)
    assert letters.dump() != before


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_no_other_method_does_anything(amelie: Client, method: str) -> None:
    before = letters.dump()
    assert getattr(letters.browser(), method)(letters.url(amelie)).status_code == 405
    assert letters.dump() == before


def test_a_forged_link_changes_nothing_and_looks_as_one_that_was_used(amelie: Client) -> None:
    letters.browser().post(letters.url(amelie), ONE_CLICK)
    used = letters.browser().post(letters.url(amelie), ONE_CLICK)
    before = letters.dump()
    for token in letters.forged(amelie):
        answer = letters.browser().post(f"/u/{token}/", ONE_CLICK)
        assert (answer.status_code, answer.content, answer.headers) == (200, used.content, used.headers), token
    assert letters.dump() == before


@cases(60)
@given(token=st.text(min_size=1, max_size=90).filter(lambda text: "/" not in text and "\0" not in text and text.strip(".")))
def test_no_text_is_a_link_but_ours(amelie: Client, token: str) -> None:
    assert links.read(token) is None
    assert letters.browser().post("/u/x/", ONE_CLICK).status_code == 200


@cases(80)
@given(place=st.integers(0, 49), bit=st.integers(0, 5))
def test_a_link_with_one_bit_changed_is_no_link(amelie: Client, place: int, bit: int) -> None:
    letters_of = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    good = links.token(amelie, "email")
    place %= len(good)
    other = letters_of[letters_of.index(good[place]) ^ (1 << bit)]
    altered = good[:place] + other + good[place + 1 :]
    assert links.read(altered) is None


def test_the_link_of_another_client_stops_that_one_alone(amelie: Client) -> None:
    other = factories.client()
    letters.grant(other, at=timezone.now() - dt.timedelta(days=1))
    letters.browser().post(letters.url(other), ONE_CLICK)
    assert consent.standing(amelie, "mkt.promotion", "email") == "granted"


def test_the_link_follows_a_merge_and_ends_with_erasure(amelie: Client) -> None:
    url, stays = letters.url(amelie), factories.client(email="amelie@example.org")
    letters.grant(stays, at=timezone.now() - dt.timedelta(days=1))
    Subject.objects.filter(client=amelie).update(client=stays)
    letters.browser().post(url, ONE_CLICK)
    assert consent.standing(stays, "mkt.promotion", "email") == "withdrawn"
    Subject.objects.filter(client=stays).update(client=None)
    before = letters.dump()
    assert letters.browser().post(url, ONE_CLICK).content == b"OK\n"
    assert b"leads nowhere" in letters.browser().get(url + "?lang=en").content
    assert letters.dump() == before


def test_a_card_that_was_erased_is_nobody(amelie: Client) -> None:
    Client.objects.filter(pk=amelie.pk).update(erased_at=timezone.now())
    before = letters.dump()
    assert letters.browser().post(letters.url(amelie), ONE_CLICK).status_code == 200
    assert letters.dump() == before


def test_a_failure_of_ours_is_a_503_so_that_the_mail_program_tries_again(amelie: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(stops, "by_click", away)
    answer = Browser(raise_request_exception=False).post(letters.url(amelie), ONE_CLICK)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")


def test_a_signed_in_user_is_nobody_here(amelie: Client, signed_in: Callable[[Role], Browser], salon: Salon) -> None:
    Salon.objects.update(is_mfa_required=True)  # elsewhere leads the owner to the second factor first
    staff = signed_in(Role.OWNER)
    page = staff.get(letters.url(amelie))
    assert page.status_code == 200
    assert b"Olivia" not in page.content
    assert (staff.post(letters.url(amelie), ONE_CLICK).content, dict(page.cookies)) == (b"OK\n", {})
    assert ConsentEvent.objects.get(event="object").actor is None


@pytest.mark.parametrize("cookie", ["csrftoken=x; sessionid=y", "sessionid=unknown", "csrftoken=" + "z" * 500])
def test_no_cookie_is_ever_set(amelie: Client, cookie: str) -> None:
    for answer in (
        letters.browser().get(letters.url(amelie), headers={"Cookie": cookie}),
        letters.browser().post(letters.url(amelie), ONE_CLICK, headers={"Cookie": cookie}),
        letters.browser().post(letters.url(amelie), {"save": "1"}, headers={"Cookie": cookie}),
    ):
        assert (answer.status_code, "Set-Cookie" in answer.headers, dict(answer.cookies)) == (200, False, {})


def test_the_address_of_the_page_is_told_to_nobody(amelie: Client) -> None:
    answer = letters.browser().get(letters.url(amelie))
    said = {name: answer.headers[name] for name in ("Referrer-Policy", "Cache-Control", "X-Robots-Tag")}
    assert said == {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
    assert b"http://" not in answer.content.replace(b"http://www.w3.org", b"")
    assert b"https://" not in answer.content


@pytest.mark.parametrize(("size", "status"), [(9_000, 200), (17_000, 413)])
def test_a_large_form_is_not_read(amelie: Client, size: int, status: int) -> None:
    answer = letters.browser().post(letters.url(amelie), "a=" + "x" * size, content_type=URLENCODED)
    assert answer.status_code == status
    assert ConsentEvent.objects.filter(event="object").exists() is (status == 200)


def test_only_the_pages_behind_links_take_a_form_from_everywhere() -> None:
    exempt = {address.name for address in addresses_of_the_house() if getattr(address.view, "csrf_exempt", False)}
    assert exempt == {
        "notifications:preferences", "notifications:confirm", "notifications:form",
        # signed by the provider, or by another system
        "notifications:twilio_status", "notifications:twilio_inbound", "notifications:hook",
    }  # fmt: skip


def test_standing_and_ledger_agree_after_every_click(amelie: Client) -> None:
    letters.browser().post(letters.url(amelie), ONE_CLICK)
    for row in Standing.objects.filter(client=amelie):
        assert row.state == consent.reading(amelie, row.purpose, row.channel).state
