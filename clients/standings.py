"""Writing Standing anew for every client. Called when the salon's country changed, and by `rebuild_standings`."""

from django.db import transaction

from clients import consent
from clients.models import Client

CHUNK = 200


def rebuild() -> int:
    """Write what every client agreed to anew from the ledger, and return how many clients there are.

    In chunks, so that nobody waits long for a card. Safe to call again.
    """
    ids = list(Client.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            consent.project(Client.objects.select_for_update().filter(pk__in=ids[start : start + CHUNK]).order_by("pk"))
    return len(ids)
