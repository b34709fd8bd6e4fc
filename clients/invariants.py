"""What must hold of the ledger, the blacklist and the forgotten at any time. For the nightly check and tests; mends nothing."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from clients import consent, countries, fold
from clients.erasure import schema
from clients.models import Blacklisting, Client, Standing
from salon.core.models import Salon
from salon.core.privacy import Fate

_CHUNK = 500


def faults() -> Iterator[str]:
    """Yield a line for everything that ought not to be: ids and codes only."""
    yield from _standings()
    yield from _remains()
    yield from _blacklist_faults()


def _remains() -> Iterator[str]:
    """Whoever was erased has an empty card, and no row that would lead back to them."""
    gone = Client.objects.filter(erased_at__isnull=False, merged_into=None)
    empty = {"first_name": "", "last_name": "", "email": "", "phone": "", "note": "", "search_text": ""}
    for pk in gone.exclude(**empty).order_by("pk").values_list("pk", flat=True):
        yield f"client {pk}: erased, and the card holds something"
    for table in schema.tables():
        if table.fate is Fate.DELETED:
            rows = table.model._base_manager.filter(**{f"{table.path}__in": gone.values("pk")})
            for pk in rows.order_by("pk").values_list("pk", flat=True):
                yield f"{table.label} {pk}: of somebody who was erased"


def _standings() -> Iterator[str]:
    """Every Standing is what the ledger folds to."""
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
