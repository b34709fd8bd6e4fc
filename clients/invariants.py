"""What must hold of the ledger at any time. Read by the nightly check and by tests; never mends anything."""

from collections.abc import Iterator

from clients import consent, countries, fold
from clients.models import Client, Standing
from salon.core.models import Salon

_CHUNK = 500


def faults() -> Iterator[str]:
    """Yield a line for every client whose Standing is not what the ledger folds to: ids and codes only."""
    country = Salon.objects.filter(pk=1).values_list("country", flat=True).first() or ""
    ids = list(Client.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), _CHUNK):
        chunk = list(Client.objects.filter(pk__in=ids[start : start + _CHUNK]).order_by("pk"))
        written = {
            (client_id, purpose, channel): state
            for client_id, purpose, channel, state in Standing.objects.filter(client__in=chunk).values_list(
                "client_id", "purpose", "channel", "state"
            )
        }
        ledgers = consent.entries_of([client.pk for client in chunk])
        for client in chunk:
            for purpose, channel in fold.pairs():
                state = fold.state(
                    ledgers[client.pk], purpose=purpose, channel=channel, address_hmac=consent.address_hash(client, channel),
                    minimum_evidence=countries.minimum_evidence(country, purpose, channel),
                ).value  # fmt: skip
                stands = written.get((client.pk, purpose, channel), fold.State.UNKNOWN.value)
                if stands != state:
                    yield f"client {client.pk}, {purpose} {channel}: stands {stands}, the ledger says {state}"
