"""What the demo's clients said about marketing and reminders: every state that the ledger knows, written through it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from clients import consent, fold, health, wording
from clients.consent import Said
from clients.models import Channel, Client, ConsentEvent, ConsentText
from notifications.demo import words
from salon.core.models import User

# Who answers at all: a bench with many more clients would otherwise measure the writing of the ledger.
ANSWERING_MAX = 5_000
_Source = ConsentEvent.Source
# A link to confirm a Yes that is older than this is sent no more: nothing of the demo waits to leave.
LINK_OVER = dt.timedelta(days=8)
EMAIL, SMS = Channel.EMAIL.value, Channel.SMS.value

# What happened with a client, and how often. The rest was not asked.
STORIES = {
    "paper_both": 16, "paper_email": 20, "told_staff": 9, "told_staff_no": 6, "waiting": 5, "left_by_link": 5,
    "withdrew_at_the_desk": 4, "address_changed": 4, "soft": 4, "claimed": 4, "complained": 1, "not_asked": 22,
}  # fmt: skip
TOLD_TO_STAFF = frozenset({_Source.IN_PERSON, _Source.PHONE, _Source.PAPER_FORM, _Source.OTHER})
Line = tuple[dt.datetime, Said]


def add(clients: Sequence[Client], *, by: User, rng: Random, now: dt.datetime) -> None:
    """Write the answers of the clients, each at the time at which it was given."""
    days: dict[tuple[dt.date, bool], list[Line]] = defaultdict(list)
    wordings = {code: wording.in_force(code) for code in words.LANGUAGES}
    some = clients if len(clients) <= ANSWERING_MAX else rng.sample(clients, ANSWERING_MAX)
    for client in some:
        for at, said in (
            *_story(client, rng, now, wordings[client.language]),
            *_reminders(client, rng, now),
            *_health(client, rng, now),
            *_profiling(client, now),
        ):
            days[at.date(), said.source in TOLD_TO_STAFF].append((at, said))
    for key in sorted(days):
        lines = sorted(days[key], key=lambda line: line[0])
        consent.record_many([said for _at, said in lines], by=by if key[1] else None, now=lines[-1][0])


def _said(client: Client, at: dt.datetime, event: str, source: str, *, on: str, about: str, **rest: Any) -> Line:
    return at, Said(client, purpose=about, channel=on, event=event, source=source, effective_at=at, **rest)


def _five(client: Client, at: dt.datetime, event: str, source: str, *, on: str, **rest: Any) -> list[Line]:
    """Return the answer for every marketing kind on one channel: what a Yes on the card's front writes."""
    return [_said(client, at, event, source, on=on, about=purpose, **rest) for purpose in consent.MARKETING]


def _story(client: Client, rng: Random, now: dt.datetime, texts: Mapping[tuple[str, str], ConsentText]) -> list[Line]:
    """Return what one client said over time. `texts` are the words in force: who waits for a link is asked by them."""
    story = rng.choices(list(STORIES), list(STORIES.values()))[0]
    first = client.created_at + (now - client.created_at) * (0.1 + 0.5 * rng.random())
    later = first + (now - first) * (0.3 + 0.6 * rng.random())
    ways = [way for way, has in ((EMAIL, client.email), (SMS, client.phone)) if has]
    is_too_new = story == "waiting" and now - first < LINK_OVER
    if not ways or story == "not_asked" or is_too_new:
        return []
    way = ways[0]
    told = rng.choice([_Source.IN_PERSON, _Source.PHONE])
    on_paper = _five(client, first, "grant", _Source.PAPER_FORM, on=way)
    stories: dict[str, list[Line]] = {
        "paper_both": [line for one in ways for line in _five(client, first, "grant", _Source.PAPER_FORM, on=one)],
        "paper_email": on_paper,
        "told_staff": _five(client, first, "grant", told, on=way),
        "told_staff_no": [line for one in ways for line in _five(client, first, "withdraw", _Source.IN_PERSON, on=one)],
        "waiting": [
            _said(client, first, "pending", _Source.WIDGET, on=way, about=purpose, text=texts.get((purpose, way)))
            for purpose in consent.MARKETING
        ],
        "left_by_link": [*on_paper, _said(client, later, "withdraw", _Source.ONE_CLICK_POST, on=way, about=fold.ALL_MARKETING)],
        "withdrew_at_the_desk": [*on_paper, *_five(client, later, "withdraw", _Source.IN_PERSON, on=way)],
        "address_changed": [
            *_five(client, first, "grant", _Source.PAPER_FORM, on=way, address=_old_address(client, way)),
            _said(client, later, "address_changed", _Source.OTHER, on=way, about=fold.EVERYTHING, evidence_level=0),
        ],
        "soft": [_said(client, first, "soft_opt_in", _Source.IN_PERSON, on=way, about="mkt.promotion")],
        "claimed": [_said(client, first, "import_claim", _Source.IMPORT, on=way, about="mkt.promotion", evidence_level=0)],
        "complained": [
            *_five(client, first, "grant", told, on=way),
            _said(client, later, "complaint", _Source.PROVIDER_WEBHOOK, on=way, about=fold.ALL_MARKETING),
        ],
    }
    return stories[story]


def _old_address(client: Client, way: str) -> str:
    return f"old-{client.pk}@example.org" if way == EMAIL else "+33199009999"


def _reminders(client: Client, rng: Random, now: dt.datetime) -> Iterator[Line]:
    if client.email and rng.random() < 0.05:
        at = client.created_at + (now - client.created_at) * rng.random()
        yield _said(client, at, "withdraw", _Source.IN_PERSON, on=EMAIL, about="svc.reminder")


def _health(client: Client, rng: Random, now: dt.datetime) -> Iterator[Line]:
    """Whoever has a health note agreed to it on paper: one in twenty, by the number of the card."""
    if _has_health_note(client):
        at = client.created_at + (now - client.created_at) * 0.05
        yield _said(client, at, "grant", _Source.PAPER_FORM, on="", about="health_notes")


def _has_health_note(client: Client) -> bool:
    return (client.pk * 11) % 20 == 0


def write_health_notes(clients: Sequence[Client], *, language: str, by: User, now: dt.datetime) -> None:
    """Write the health notes of those who agreed to one: not into the note on the card, which everybody reads."""
    place = words.LANGUAGES.index(language)
    for client in clients:
        if _has_health_note(client) and health.is_open(client):
            text = words.HEALTH_NOTES[client.pk % len(words.HEALTH_NOTES)][place]
            health.write(client, text=text, patch_tested_on=None, version=0, by=by, now=now)


def _profiling(client: Client, now: dt.datetime) -> Iterator[Line]:
    """Most agree on paper, some refuse, the others were not asked: by the number of the card, so that nothing else changes."""
    answer = (client.pk * 7) % 10
    if answer < 8:
        at = client.created_at + (now - client.created_at) * 0.05
        yield _said(client, at, "grant" if answer < 6 else "withdraw", _Source.PAPER_FORM, on="", about="profiling")
