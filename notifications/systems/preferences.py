"""What a client gets and does not get, by kind and channel, as another system is told it: never health, never a note.

Read from Standing and from the stops of addresses, so that a No said by somebody else with the same address counts.
"""

from collections.abc import Collection, Mapping

from clients import addresses, fold
from clients.models import Address, Client, Standing

# The names that other systems know the kinds by.
KINDS: Mapping[str, str] = {
    "promotion": "mkt.promotion", "birthday": "mkt.birthday", "welcome": "mkt.welcome", "rebook": "mkt.rebook",
    "review": "mkt.review", "reminder": "svc.reminder", "confirmation": "svc.confirmation",
}  # fmt: skip
MARKETING = "marketing"
YES, NO, WAITING, NOT_ASKED = "yes", "no", "waiting", "not_asked"
_WORDS = {fold.State.GRANTED: YES, fold.State.WITHDRAWN: NO, fold.State.PENDING: WAITING}

Preferences = dict[str, dict[str, str]]


def of(clients: Collection[Client]) -> dict[int, Preferences]:
    """Return the answers of each client: kind, then channel, then "yes", "no", "waiting" or "not_asked"."""
    states: dict[int, dict[tuple[str, str], str]] = {client.pk: {} for client in clients}
    rows = Standing.objects.filter(client__in=states, purpose__in=KINDS.values())
    for client_id, purpose, channel, state in rows.values_list("client_id", "purpose", "channel", "state"):
        states[client_id][purpose, channel] = state
    hashes = {(client.pk, channel): _hash(client, channel) for client in clients for channel in fold.CHANNELS}
    stops = _stops({hmac for hmac in hashes.values() if hmac})
    return {
        client.pk: {
            kind: {
                channel: _word(purpose, states[client.pk].get((purpose, channel), ""), stops.get(hashes[client.pk, channel], ""))
                for channel in fold.CHANNELS
            }
            for kind, purpose in KINDS.items()
        }
        for client in clients
    }


def refused(preferences: Preferences) -> list[tuple[str, str]]:
    """Return kind and channel of each No."""
    return [(kind, channel) for kind, ways in preferences.items() for channel, word in ways.items() if word == NO]


def _word(purpose: str, state: str, stop: str) -> str:
    if purpose in fold.SERVICE:
        return NO if state == fold.State.WITHDRAWN or stop == "all" else YES
    return NO if stop else _WORDS.get(state, NOT_ASKED)  # type: ignore[call-overload]


def _stops(hashes: Collection[str]) -> dict[str, str]:
    """Return how far each stopped address is stopped: "marketing", or "all" where its holder wants no message at all."""
    rows = Address.objects.filter(hmac__in=hashes, scope__in=[Address.Scope.MARKETING, Address.Scope.ALL])
    return {
        hmac: "all" if scope == Address.Scope.ALL and reason in {Address.Reason.STOP, Address.Reason.ERASED} else MARKETING
        for hmac, scope, reason in rows.values_list("hmac", "scope", "reason")
    }


def _hash(client: Client, channel: str) -> str:
    return addresses.hash_of(channel, str((client.email if channel == "email" else client.phone) or ""))
