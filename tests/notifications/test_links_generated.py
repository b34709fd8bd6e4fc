"""The pages behind links under any request and in any state of the card, made by chance (I-31, I-32, I-33; C4).

What a press has to do is read from the rows alone, by the words of the rule: one more objection, or none.
"""

import datetime as dt
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from clients import consent
from clients.models import Address, Client, ConsentEvent, Subject
from notifications import links
from salon.core.models import Salon
from tests import factories
from tests.clients import fold_oracle
from tests.generated import cases
from tests.notifications import letters

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
ANY = cases(40)

# --- a card in any state, and any link to it ----------------------------------------------------------------------

_PAST = ("yes", "no", "click", "everything", "asked", "confirmed", "paused", "moved", "inactive", "erased", "nobody")
pasts = st.lists(st.sampled_from(_PAST), max_size=5)
tokens = st.sampled_from(["email", "sms", "confirm", "late", "forged", "cut", "other key", "other use", "text"])
queries = st.sampled_from(["", "?lang=de", "?lang=x", "?stop=1", "?save=1&mkt.review:email=1", "?List-Unsubscribe=One-Click"])
headers = st.dictionaries(
    st.sampled_from(["Origin", "Referer", "Cookie", "User-Agent", "Accept", "Accept-Language", "X-CSRFToken", "Sec-Fetch-Site"]),
    st.sampled_from(["https://evil.example", "null", "sessionid=1; csrftoken=2", "*/*", "xx", "cross-site"]),
    max_size=4,
)


def card(past: list[str]) -> tuple[Client, ConsentEvent]:
    """A card after this past, and the Yes that once waited for a link."""
    client = factories.client()
    asked = consent.record(
        client, purpose="mkt.review", channel="email", event="pending", source="widget", now=timezone.now() - DAY
    )
    for step in past:
        now = timezone.now()
        if step == "yes":
            letters.grant(client, at=now, source="paper_form")
        elif step == "no":
            consent.record(client, purpose="mkt.review", channel="email", event="withdraw", source="phone", actor_type="staff")
        elif step in {"click", "everything"}:
            letters.browser().post(letters.url(client), {} if step == "click" else {"everything": "1"})
        elif step == "asked":
            asked = consent.record(client, purpose="mkt.review", channel="email", event="pending", source="widget")
        elif step == "confirmed":
            letters.press(f"/c/{links.confirm_token(asked.pk)}/")
        elif step == "paused":
            letters.browser().post(letters.url(client), {"pause": "30"})
        else:
            moved = {"email": f"moved{client.pk}@example.org"}
            change: dict[str, dict[str, Any]] = {"moved": moved, "inactive": {"inactive_at": now}, "erased": {"erased_at": now}}
            Client.objects.filter(pk=client.pk).update(**change.get(step, {"language": "de"}))
            client.refresh_from_db()
    if "nobody" in past:
        Subject.objects.filter(client=client).update(client=None)
    return client, asked


def path(kind: str, client: Client, asked: ConsentEvent) -> str:
    """The path of a link of this kind, good or not."""
    good = links.token_of(asked.subject_id, "email", consent.address_hash(client, "email"))
    with override_settings(ADDRESS_KEY="another salon's key"):
        foreign = links.token_of(asked.subject_id, "email", consent.address_hash(client, "email"))
    texts = {
        "email": good, "sms": links.token_of(asked.subject_id, "sms", consent.address_hash(client, "sms")),
        "forged": good[:-1] + ("A" if good[-1] != "A" else "B"), "cut": good[:20], "other key": foreign,
        "other use": links.confirm_token(asked.pk), "text": "stop",
    }  # fmt: skip
    if kind in {"confirm", "late"}:
        return f"/c/{links.confirm_token(asked.pk if kind == 'confirm' else asked.pk + 10_000)}/"
    return f"/u/{texts[kind]}/"


@ANY
@given(past=pasts, token=tokens, query=queries, head=headers, method=st.sampled_from(["get", "head", "options"]))
def test_looking_changes_nothing_whatever_the_card_the_link_and_the_request(
    salon: Salon, past: list[str], token: str, query: str, head: dict[str, str], method: str
) -> None:
    """I-31."""
    client, asked = card(past)
    before = letters.dump()
    answer = getattr(letters.browser(), method)(path(token, client, asked) + query, headers=head)
    assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert letters.dump() == before


# --- one click ----------------------------------------------------------------------------------------------------

URLENCODED = "application/x-www-form-urlencoded"
_PART = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
# What mail programs were seen to send, and what broken ones could.
bodies = st.sampled_from([
    (b"List-Unsubscribe=One-Click", URLENCODED), (b"List-Unsubscribe=One-Click", f"{URLENCODED}; charset=utf-8"),
    (b"List-Unsubscribe=One-Click", f"{URLENCODED}; charset=iso-8859-1"), (b"", ""), (b"", URLENCODED),
    (b"", "multipart/form-data"), (b"List-Unsubscribe=One-Click", ""), (b"List-Unsubscribe=One-Click", "text/plain"),
    (b"List-Unsubscribe=One-Click", "multipart/form-data"), (b'{"a": 1}', "application/json"), (b"\xff\xfe=%zz&&==", URLENCODED),
    (_PART + b"One-Click\r\n--x--\r\n", "multipart/form-data; boundary=x"), (_PART + b"One", "multipart/form-data; boundary=x"),
    (b"--y", "multipart/form-data; boundary=\x01"), (b"a=1&" * 1500, URLENCODED),
])  # fmt: skip


def click(url: str, body: bytes, content_type: str, head: dict[str, str]) -> Any:
    return letters.browser().generic("POST", url, body, content_type=content_type, headers=head)


def opens(client: Client, channel: str) -> set[str]:
    """Oracle: the kinds that the ledger leaves open on a channel, by the second reading of the rule."""
    names = (
        "purpose", "channel", "event", "address_hmac", "effective_at", "recorded_at", "source", "actor_type", "evidence_level",
    )  # fmt: skip
    events: list[dict[str, Any]] = [
        {"id": row.pk, "origin": row.subject_id, "voids": row.voids_id, **{name: getattr(row, name) for name in names}}
        for row in ConsentEvent.objects.filter(subject__client=client)
    ]
    hmac = consent.address_hash(client, channel)
    return {one for one in consent.MARKETING if fold_oracle.verdict(events, one, channel, hmac, 1) in {"granted", "pending"}}


@ANY
@given(
    past=st.lists(st.sampled_from([step for step in _PAST if step not in {"erased", "nobody"}]), max_size=4),
    channel=st.sampled_from(["email", "sms"]), body=bodies, head=headers, times=st.integers(1, 3),
)  # fmt: skip
@example(past=["yes"], channel="email", body=(b"x", "multipart/form-data"), head={}, times=2)
@example(past=["click", "asked"], channel="email", body=(b"", ""), head={}, times=2)
def test_one_click_is_taken_in_every_form_and_many_times_are_once(
    salon: Salon, past: list[str], channel: str, body: tuple[bytes, str], head: dict[str, str], times: int
) -> None:
    """I-32, C4: from any origin, without cookies, token, Referer or a body that can be read."""
    client, asked = card(past)
    url, count = path(channel, client, asked), ConsentEvent.objects.filter(event="object").count()
    was_open = opens(client, channel)
    is_stopped = {"click", "everything"} & set(past) if channel == "email" else "everything" in past
    answers = [click(url, *body, head) for _ in range(times)]
    assert [(answer.status_code, answer.content, dict(answer.cookies)) for answer in answers] == [(200, b"OK\n", {})] * times
    assert not any(answer.has_header("Location") for answer in answers)
    assert opens(client, channel) == set()
    row = Address.objects.get(channel=channel, hmac=consent.address_hash(client, channel))
    assert row.scope in {"marketing", "all"}
    written = ConsentEvent.objects.filter(event="object").count() - count
    assert written == 1 if was_open or not is_stopped else written <= 1
    before = letters.dump()
    click(url, *body, head)
    assert letters.dump() == before, "once more is nothing more"


@ANY
@given(past=pasts, token=tokens, body=bodies, head=headers)
def test_a_click_on_what_is_no_link_of_ours_changes_nothing_and_looks_like_one_on_a_used_link(
    salon: Salon, past: list[str], token: str, body: tuple[bytes, str], head: dict[str, str]
) -> None:
    """I-33: forged, cut, of another salon, of another use: nothing tells them from a link that was used."""
    if token in {"email", "sms", "confirm", "late"}:
        token = "other key"
    used, _asked = card([])
    for _ in range(2):
        like = click(letters.url(used), *body, head)
    client, asked = card(past)
    before = letters.dump()
    answer = click(path(token, client, asked), *body, head)
    assert (answer.status_code, answer.content, dict(answer.items())) == (like.status_code, like.content, dict(like.items()))
    assert letters.dump() == before


def test_the_link_of_one_client_never_touches_another(salon: Salon) -> None:
    """I-33, the other half: whoever holds a link can say nothing for anybody else, at no address."""
    mine, theirs = factories.client(), factories.client()
    for one in (mine, theirs):
        letters.grant(one, at=timezone.now() - DAY)
    before = ConsentEvent.objects.filter(subject__client=theirs).count()
    for form in ({}, {"stop": "1"}, {"everything": "1"}, {"save": "1", "was:mkt.review:email": "1"}, {"pause": "30"}):
        letters.browser().post(letters.url(mine), form)
    theirs.refresh_from_db()
    assert ConsentEvent.objects.filter(subject__client=theirs).count() == before
    assert theirs.marketing_paused_until is None
    assert opens(theirs, "email") == set(consent.MARKETING)
    assert not Address.objects.filter(hmac=consent.address_hash(theirs, "email")).exclude(scope="").exists()
