"""The clients of the demo: believable names in three languages, numbers and addresses that reach nobody."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from appointments.models import Appointment, State
from clients import blacklist, records, search
from clients.models import Client
from notifications.demo import words
from salon.core.models import User

CHUNK = 2_000
# So many people of the small demo have two cards.
TWINS = 4
# How many of those who gave a number gave that of a mobile.
MOBILES = 0.8


def add(count: int, *, language: str, rng: Random, by: User | None, now: dt.datetime) -> list[Client]:
    """Return `count` new clients, in the order in which they first came over the last four years."""
    every = list(fields(count, language, rng))
    _enter_twice(every)
    clients: list[Client] = []
    for start in range(0, count, CHUNK):
        ids = records.add_many(every[start : start + CHUNK], by=by, now=now)
        clients += Client.objects.filter(pk__in=ids).order_by("pk")
    for client, age in zip(clients, sorted((rng.random() ** 2 * 1400 + 2 for _ in clients), reverse=True), strict=True):
        client.created_at = now - dt.timedelta(days=age)
    for start in range(0, count, CHUNK):
        Client.objects.bulk_update(clients[start : start + CHUNK], ["created_at"], batch_size=400)
    return clients


def _enter_twice(every: list[dict[str, Any]]) -> None:
    """Let the last few be people who are in the book already, as it happens at a busy desk."""
    if len(every) < 20 * TWINS:
        return
    known = [card for card in every[:-TWINS] if card.get("phone") and card.get("email") and card["last_name"]][:TWINS]
    for place, card in enumerate(known, start=len(every) - TWINS):
        every[place] = {name: card[name] for name in ("first_name", "last_name", "language", "email" if place % 2 else "phone")}


def retire(visits: Sequence[Appointment], *, rng: Random, now: dt.datetime) -> None:
    """Make some who have not come for long inactive, and put a few on the blacklist for not turning up."""
    last: dict[int, dt.datetime] = {}
    missed: Counter[int] = Counter()
    for visit in visits:
        if visit.client_id is not None:
            last[visit.client_id] = max(visit.start_at, last.get(visit.client_id, visit.start_at))
            missed[visit.client_id] += visit.state == State.NO_SHOW
    asleep = [pk for pk, at in last.items() if at < now - dt.timedelta(days=150)]
    Client.objects.filter(pk__in=rng.sample(asleep, min(len(asleep) // 2, 400))).update(
        inactive_at=now - dt.timedelta(days=20), inactive_reason="stays_away"
    )
    unreliable = [pk for pk, count in missed.most_common(4) if count > 1]
    for client in Client.objects.filter(pk__in=unreliable, inactive_at=None).order_by("pk"):
        blacklist.add(client, reason="no_show", by=None, now=now - dt.timedelta(days=12))


def fields(count: int, language: str, rng: Random) -> Iterator[dict[str, Any]]:
    """Yield the fields of `count` cards. A phone number is used once until its block of fictitious numbers is used up."""
    firsts = {code: names.split() for code, names in words.FIRST_NAMES.items()}
    lasts = {code: names.split() for code, names in words.LAST_NAMES.items()}
    numbers = {code: _numbers(code, rng) for code in words.LANGUAGES}
    codes = list(words.LANGUAGES)
    shares = [words.AT_HOME if code == language else (100 - words.AT_HOME) / 2 for code in codes]
    place = words.LANGUAGES.index(language)
    for index in range(count):
        code = rng.choices(codes, shares)[0]
        first, last = rng.choice(firsts[code]), rng.choice(lasts[code]).replace("Le-Goff", "Le Goff")
        card: dict[str, Any] = {"first_name": first, "last_name": last, "language": code}
        if rng.random() < 0.92:
            card["phone"] = next(numbers[code])
        if rng.random() < 0.84:
            card["email"] = _email(first, last, index, rng)
        if not card.keys() & {"phone", "email"} or rng.random() < 0.02:
            # Some give only a first name and a number, some nothing but a number.
            card["last_name"] = "" if rng.random() < 0.7 and card.get("phone") else last
        card |= _birthday(rng) | _address(language, rng) | _note(place, rng)
        yield card


def _numbers(code: str, rng: Random) -> Iterator[str]:
    mobiles, landlines = (
        [f"{block}{number:0{digits}}" for block, digits in blocks[code] for number in range(10**digits)]
        for blocks in (words.MOBILE_BLOCKS, words.NUMBER_BLOCKS)
    )
    every = [*mobiles, *landlines]
    rng.shuffle(mobiles)
    rng.shuffle(landlines)
    while mobiles or landlines:
        is_mobile = mobiles and (not landlines or rng.random() < MOBILES)
        yield (mobiles if is_mobile else landlines).pop()
    while True:
        rng.shuffle(every)
        yield from every


def _email(first: str, last: str, index: int, rng: Random) -> str:
    box = ".".join(part for part in (search.fold(first), search.fold(last)) if part)
    box = "".join(char for char in box.replace(" ", "-") if char.isascii() and (char.isalnum() or char in ".-"))
    return f"{box}{index if rng.random() < 0.6 else f'.{index}'}@{rng.choice(words.MAIL_DOMAINS)}"


def _birthday(rng: Random) -> dict[str, Any]:
    if rng.random() < 0.45:
        return {}
    day = dt.date(1940, 1, 1) + dt.timedelta(days=int(rng.random() ** 0.8 * 26_500))
    fields = {"birth_day": day.day, "birth_month": day.month}
    return fields | {"birth_year": day.year} if rng.random() < 0.8 else fields


def _address(code: str, rng: Random) -> dict[str, Any]:
    if rng.random() < 0.6:
        return {}
    street, number = rng.choice(words.STREETS[code].split("|")), rng.randint(1, 120)
    postcode, town = rng.choice(words.TOWNS[code])
    line = f"{street} {number}" if code == "de" else f"{number} {street}"
    return {"street": line, "postcode": postcode, "city": town, "country": words.COUNTRY[code]}


def _note(place: int, rng: Random) -> dict[str, Any]:
    return {"note": rng.choice(words.NOTES)[place]} if rng.random() < 0.17 else {}
