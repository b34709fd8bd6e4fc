"""Search at size: the list's page of 50 with its count, against Django's `icontains` over the same columns, in one run."""

import argparse
import time
from collections.abc import Callable
from random import Random
from statistics import geometric_mean

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from bench.result import Result, percentile
from clients import search
from clients.models import Client
from notifications.demo import house, people

ICONTAINS_RUNS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this bench takes beyond --clients."""
    parser.add_argument("--runs", type=int, default=40, help="how often each term is asked for (default 40)")


def run(options: argparse.Namespace) -> Result:
    """Fill the database, ask for every term as the list does, and return the worst p95 and the ratio to `icontains`."""
    fill(options.clients)
    figures: dict[str, float | int | str] = {"clients": Client.objects.count()}
    ours, theirs, ratios = {}, {}, {}
    for name, term in terms().items():
        times = _times(lambda text=term: _page(text), options.runs)  # type: ignore[misc]
        peer = _times(lambda text=term: _icontains(text), ICONTAINS_RUNS)  # type: ignore[misc]
        ours[name], theirs[name] = percentile(times, 0.95), percentile(peer, 0.5)
        ratios[name] = theirs[name] / percentile(times, 0.5)
        found = _page(term)
        count = f"{found.count}{'+' if found.is_capped else ''}"
        figures[f"{name} ({count}), p95 ms"] = round(ours[name] * 1000, 2)
        figures[f"{name}, icontains ms"] = round(theirs[name] * 1000, 2)
    total_ours = sum(theirs[name] / ratios[name] for name in ratios)
    figures["vs_icontains, geometric mean"] = round(geometric_mean(ratios.values()), 2)
    figures["vs_icontains, worst term"] = round(min(ratios.values()), 2)
    return Result(
        name="search",
        figures=figures,
        ratios={
            "vs_icontains": round(sum(theirs.values()) / total_ours, 2),
            "worst_p95_ms": round(max(ours.values()) * 1000, 2),
        },
        targets={"vs_icontains": "at least 50 on PostgreSQL", "worst_p95_ms": "at most 50"},
        notes=[
            "vs_icontains: the time of all terms by icontains over ours, medians; the slow terms weigh most.",
            "Its geometric mean, where every term weighs the same, stands among the figures.",
        ],
    )


def fill(count: int) -> None:
    """Make a salon with `count` clients, some of them with the mobile numbers people have, and fresh statistics."""
    rng = Random(1)
    house.profile("FR")
    people.add(count, language="en", rng=rng, by=None, now=timezone.now())
    mobiles = list(Client.objects.filter(phone__startswith="+33").order_by("pk")[: count // 2])
    for client in mobiles:
        client.phone = f"+336{rng.randrange(10**8):08}"
        client.search_text = search.text_of(
            first_name=client.first_name, last_name=client.last_name, phone=str(client.phone), email=client.email
        )
    Client.objects.bulk_update(mobiles, ["phone", "search_text"], batch_size=300)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE clients_client" if connection.vendor == "postgresql" else "ANALYZE")


def terms() -> dict[str, str]:
    """Return what people type, common and rare, with names that say why each is there."""
    middle = Client.objects.exclude(phone="").exclude(email="").exclude(last_name="").order_by("pk")[Client.objects.count() // 3]
    return {
        "one letter": "m",
        "two letters": "ma",
        "common first name": "thomas",
        "common last name": "martin",
        "accents": "Hélène",
        "without accents": "helene",
        "umlaut as ue": "mueller",
        "two words": f"{middle.first_name} {middle.last_name}",
        "two words turned": f"{middle.last_name} {middle.first_name}",
        "beginnings of both": "mar du",
        "last four digits": str(middle.phone)[-4:],
        "start of a number": "06 12",
        "number with spaces": " ".join(
            ["0" + str(middle.phone)[3:][0], *[str(middle.phone)[4:][i : i + 2] for i in (0, 2, 4, 6)]]
        ),
        "part of an e-mail": middle.email.split("@")[0][:9],
        "whole e-mail": middle.email,
        "domain": "post.example",
        "nothing": "zzqqx",
        "name and nothing": "martin zzqqx",
    }


def _page(text: str) -> search.Found:
    """Return what the list shows: the first page in order, and how many there are."""
    return search.page(Client.objects.active(), search.matches(text))


def _icontains(text: str) -> tuple[list[Client], int]:
    """Return the same as a Django view would write it: every word in one of the columns, a page and a count."""
    rows = Client.objects.active()
    for word in text.split():
        rows = rows.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(phone__icontains=word) | Q(email__icontains=word)
        )
    return list(rows.order_by("last_name", "first_name")[:50]), rows.count()


def _times(ask: Callable[[], object], runs: int) -> list[float]:
    ask()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        ask()
        times.append(time.perf_counter() - start)
    return times
