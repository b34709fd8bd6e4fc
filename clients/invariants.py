"""What must hold of the ledger and the blacklist at any time. Read by the nightly check and by tests; never mends anything."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from clients import consent, countries, fold
from clients.models import Blacklisting, Client, Standing
from salon.core.models import Salon

_CHUNK = 500


def faults() -> Iterator[str]:
    """Yield a line, ids and codes only, for each client whose Standing or place on the blacklist is not what its rows say."""
    yield from _blacklist_faults()
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


def _blacklist_faults() -> Iterator[str]:
    """Yield a line for every card that is on the blacklist without a row that says so, or the other way round."""
    in_force = Exists(Blacklisting.objects.filter(client=OuterRef("pk"), lifted_at=None))
    rows = Client.objects.filter(erased_at=None).annotate(is_in_force=in_force).order_by("pk")
    for pk in rows.filter(blacklisted_at__isnull=False, is_in_force=False).values_list("pk", flat=True):
        yield f"client {pk}: on the blacklist, and no row says why"
    for pk in rows.filter(blacklisted_at=None, is_in_force=True).values_list("pk", flat=True):
        yield f"client {pk}: a row says on the blacklist, the card does not"
