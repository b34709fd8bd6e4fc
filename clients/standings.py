"""Standing of many clients at once: who said Yes to profiling, and writing all anew (a new country, `rebuild_standings`)."""

from django.db import transaction
from django.db.models import Exists, OuterRef

from clients import consent
from clients.choices import PROFILING
from clients.models import Client, Standing

CHUNK = 200


def profiled(client: str = "pk") -> Exists:
    """Return the condition that the client in column `client` said Yes to profiling, and it is in force."""
    said = Standing.objects.filter(client=OuterRef(client), purpose=PROFILING, channel="", state=Standing.State.GRANTED)
    return Exists(said)


def rebuild() -> int:
    """Write what every client agreed to anew from the ledger, and return how many clients there are.

    In chunks, so that nobody waits long for a card. Safe to call again.
    """
    ids = list(Client.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            consent.project(Client.objects.select_for_update().filter(pk__in=ids[start : start + CHUNK]).order_by("pk"))
    return len(ids)
