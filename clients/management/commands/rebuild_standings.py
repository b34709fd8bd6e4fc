"""Write Standing anew from the ledger: after the salon's country changed, which changes what a Yes must prove."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from clients import consent
from clients.models import Client

CHUNK = 200


class Command(BaseCommand):
    help = "Write what every client agreed to anew from the consent ledger."

    def handle(self, *args: Any, **options: Any) -> None:
        ids = list(Client.objects.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(ids), CHUNK):
            with transaction.atomic():
                consent.project(Client.objects.select_for_update().filter(pk__in=ids[start : start + CHUNK]).order_by("pk"))
        self.stdout.write(f"{len(ids)} clients")
