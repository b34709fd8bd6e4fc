"""The search for duplicates at size: what is shared against GROUP BY, similar names against the blocked join, one card.

Each limit is the bare statement that finds the same in the database; ours gives pairs with a score and reasons. A book is made
with names as uneven as real ones, and in it are people who stand there twice: how many of those are found is told too.
"""

import argparse
import string
import time
from collections.abc import Callable, Iterable
from random import Random
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from rapidfuzz.distance import JaroWinkler

from bench.result import Result
from clients import records
from clients.duplicates import blocks, facts, scan
from clients.duplicates.blocks import Found
from clients.duplicates.score import verdict
from clients.models import Client, DuplicatePair
from notifications.demo import house, words

CHUNK = 2_000
TWICE = 0.03


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this bench takes beyond --clients."""
    parser.add_argument("--runs", type=int, default=3, help="how often each side is measured (default 3)")


def run(options: argparse.Namespace) -> Result:
    """Fill the book, search it as the night does, and return the ratios to the bare statements."""
    twins = fill(options.clients, Random(7))
    exact, group_by = _both(_exact, _group_by, options.runs)
    similar, joined = _both(_similar, _blocked_join, options.runs)
    ids = list(Client.objects.order_by("pk").values_list("pk", flat=True)[:: max(1, options.clients // 50)])
    one, lookup = _both(lambda: [_one(pk) for pk in ids], lambda: [_lookup(pk) for pk in ids], options.runs)
    start = time.perf_counter()
    search = scan.all_cards(timezone.now())
    whole = time.perf_counter() - start
    found = blocks.every()
    figures: dict[str, float | int | str] = {
        "cards": Client.objects.count(), "pairs compared": len(found.pairs),
        "cards left out of a block": sum(search.skipped.values()),
        "shared, ms": round(exact * 1000, 1), "GROUP BY, ms": round(group_by * 1000, 1),
        "similar, ms": round(similar * 1000, 1), "blocked join, ms": round(joined * 1000, 1),
        "one card, ms": round(one * 1000 / len(ids), 2), "bare lookup, ms": round(lookup * 1000 / len(ids), 2),
        "whole search with writing, s": round(whole, 2), **_recall(twins),
    }  # fmt: skip
    ratios = {"exact_vs_group_by": exact / group_by, "similar_vs_blocked": similar / joined, "one_vs_lookup": one / lookup}
    return Result(
        name="duplicates",
        figures=figures,
        ratios={name: round(value, 2) for name, value in ratios.items()},
        targets={"exact_vs_group_by": "at most 2", "similar_vs_blocked": "at most 2", "one_vs_lookup": "at most 5"},
        notes=[
            "The blocked join compares names by pg_trgm on PostgreSQL, and on SQLite by a function given to it (Jaro-Winkler)."
        ],
    )


def fill(count: int, rng: Random) -> dict[str, list[tuple[int, int]]]:
    """Make a book with `count` cards and return the pairs of ids that are one person, by what the second card differs in."""
    house.profile("FR")
    lasts = _last_names(rng)
    firsts = [name for code in words.FIRST_NAMES for name in words.FIRST_NAMES[code].split()]
    shares = [1 / (place + 3) for place in range(len(lasts))]
    cards: list[dict[str, Any]] = []
    for index, last in enumerate(rng.choices(lasts, shares, k=int(count * (1 - TWICE)))):
        cards.append(_card(index, rng.choice(firsts), last, rng))
    changes = list(_CHANGES.items())
    sources = [(source, *changes[place % len(changes)]) for place, source in enumerate(_twice(cards, count, rng))]
    twins = [change(dict(cards[source]), rng) for source, _kind, change in sources]
    ids: list[int] = []
    every = [*cards, *twins]
    for start in range(0, len(every), CHUNK):
        ids += records.add_many(every[start : start + CHUNK], by=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE clients_client" if connection.vendor == "postgresql" else "ANALYZE")
    found: dict[str, list[tuple[int, int]]] = {}
    for place, (source, kind, _change) in enumerate(sources):
        found.setdefault(kind, []).append((ids[source], ids[len(cards) + place]))
    return found


def _twice(cards: list[dict[str, Any]], count: int, rng: Random) -> list[int]:
    return rng.sample(range(len(cards)), count - len(cards))


def _card(index: int, first: str, last: str, rng: Random) -> dict[str, Any]:
    card: dict[str, Any] = {"first_name": first, "last_name": last}
    card |= {"phone": f"+336{index:08}"} if rng.random() < 0.92 else {}
    card |= {"email": f"{first}.{index}@post.example".lower()} if rng.random() < 0.84 else {}
    if rng.random() < 0.5:
        card |= {"birth_day": rng.randint(1, 28), "birth_month": rng.randint(1, 12), "birth_year": rng.randint(1940, 2012)}
    return card


def _last_names(rng: Random) -> list[str]:
    """Return names that nobody has, of syllables: a few are common, most are not."""
    syllables = [a + b for a in "bcdfghlmnprstv" for b in ("a", "e", "i", "o", "u", "an", "er", "in", "el", "ou")]
    made = {"".join(rng.choice(syllables) for _ in range(rng.choice((2, 3, 3, 4)))).title() for _ in range(20_000)}
    real = [name for code in words.LAST_NAMES for name in words.LAST_NAMES[code].split()]
    return [*real, *sorted(made)]


def _slip(name: str, rng: Random) -> str:
    place = rng.randrange(1, max(2, len(name)))
    return name[:place] + rng.choice(string.ascii_lowercase) + name[place + 1 :]


def _same_phone(card: dict[str, Any], rng: Random) -> dict[str, Any]:
    card |= {"phone": card.get("phone") or f"+337{rng.randrange(10**8):08}", "last_name": _slip(card["last_name"], rng)}
    return {name: value for name, value in card.items() if name != "email"}


def _same_email(card: dict[str, Any], rng: Random) -> dict[str, Any]:
    return {**card, "phone": f"+337{rng.randrange(10**8):08}"}


def _same_birth(card: dict[str, Any], rng: Random) -> dict[str, Any]:
    kept = {name: value for name, value in card.items() if name not in {"phone", "email"}}
    return {**kept, "first_name": _slip(card["first_name"], rng)}


def _name_alone(card: dict[str, Any], rng: Random) -> dict[str, Any]:
    return {"first_name": card["first_name"].upper(), "last_name": card["last_name"], "phone": f"+337{rng.randrange(10**8):08}"}


_CHANGES: dict[str, Callable[[dict[str, Any], Random], dict[str, Any]]] = {
    "a slip in the last name": _same_phone, "another phone": _same_email, "a slip, neither phone nor e-mail": _same_birth,
    "the name alone": _name_alone,
}  # fmt: skip


def _recall(twins: dict[str, list[tuple[int, int]]]) -> dict[str, float | int | str]:
    """Return of each way to stand there twice, how many of the pairs the search kept."""
    kept = set(DuplicatePair.objects.values_list("low", "high"))
    right = {kind: sum((min(pair), max(pair)) in kept for pair in pairs) for kind, pairs in twins.items()}
    return {f"found: {kind}": f"{right[kind]} of {len(pairs)}" for kind, pairs in twins.items()}


# --- ours and the limits ------------------------------------------------------------------------------------------


def _exact() -> None:
    blocks.shared(Found())


def _group_by() -> None:
    with connection.cursor() as cursor:
        for column in ("phone", "email"):
            cursor.execute(
                f"SELECT {column}, count(*) FROM clients_client WHERE {column} <> '' GROUP BY {column} HAVING count(*) > 1"  # noqa: S608
            )
            cursor.fetchall()


def _similar() -> None:
    found = Found()
    blocks.similar(found)
    known = facts.of_cards({pk for pair in found.pairs for pk in pair})
    _score(found.pairs, known)


def _score(pairs: Iterable[tuple[int, int]], known: dict[int, Any]) -> list[int]:
    return [verdict(known[low], known[high]).points for low, high in pairs]


def _blocked_join() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # which has nothing to compare names by
            connection.connection.create_function("similarity", 2, JaroWinkler.similarity, deterministic=True)
        for _kind, key, where in blocks._keys():
            keyed = f"(SELECT id, sort_name, {key} AS block FROM clients_client WHERE {where})"  # noqa: S608
            cursor.execute(
                f"WITH keyed AS {keyed} SELECT a.id, b.id FROM keyed a"  # noqa: S608
                f" JOIN keyed b ON a.block = b.block AND a.id < b.id WHERE similarity(a.sort_name, b.sort_name) > 0.5"
            )
            cursor.fetchall()


def _one(pk: int) -> int:
    return scan.check({pk}, now=timezone.now())


def _lookup(pk: int) -> list[int]:
    """Return the cards with this card's phone, e-mail, date of birth or name: what any check has to ask."""
    card = Client.objects.get(pk=pk)
    asked = [Q(sort_name=card.sort_name)]
    asked += [Q(phone=card.phone)] if card.phone else []
    asked += [Q(email=card.email)] if card.email else []
    born = {name: getattr(card, name) for name in ("birth_year", "birth_month", "birth_day")}
    asked += [Q(**born)] if card.birth_year else []
    return [one for each in asked for one in Client.objects.filter(each).values_list("pk", flat=True)[:50]]


def _both(ours: Callable[[], Any], limit: Callable[[], Any], runs: int) -> tuple[float, float]:
    """Return the medians of both in seconds, measured by turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for side, act in enumerate((ours, limit)):
            start = time.perf_counter()
            act()
            times[side].append(time.perf_counter() - start)
    return median(times[0]), median(times[1])
