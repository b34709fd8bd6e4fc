"""What an erasure would take and what it would leave, for the page that asks. Reads only."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients import bookings, lengths, search
from clients.bookings import Ahead
from clients.erasure import above, schema
from clients.models import Client, ClientContact, ConsentEvent, HealthNote, SignedForm
from salon.core import phone
from salon.core.errors import Refused

Line = str | Promise


@dataclass(frozen=True)
class Plan:
    """Lines of what goes, lines of what stays without the name, the visits to come, and who shares an address."""

    erased: Sequence[Line]
    kept: Sequence[Line]
    ahead: Sequence[Ahead]
    is_shared: bool


def of(client: Client, *, now: dt.datetime) -> Plan:
    """Return what erasing this person would do."""
    ids = schema.cards_of(client)
    ahead = bookings.ahead_of(ids, now=now).get(client.pk, [])
    return Plan(_erased(client, ids), _kept(client, ids, now), ahead, _is_shared(client))


def word_of(client: Client) -> str:
    """Return what is typed to confirm: the last name, else the first, else the number."""
    return client.last_name or client.first_name or str(client.phone)


def is_confirmed(client: Client, typed: str, country: str) -> bool:
    """Return whether `typed` is that word, or the whole name.

    Accents, case and blanks do not count, and a number may be written as dialled.
    """
    wanted = word_of(client)
    if _plain(typed) in {_plain(wanted), _plain(client.name)}:
        return True
    if client.last_name or client.first_name:
        return False
    try:
        return bool(typed.strip()) and phone.read(typed, country) == wanted
    except Refused:
        return False


def _plain(text: str) -> str:
    return " ".join(search.fold(text).replace("-", " ").replace("’", "'").split())


def _erased(client: Client, ids: Sequence[int]) -> list[Line]:
    """Return the first line with what the card holds of a person, and one for each thing beside it."""
    holds = [
        (True, _("name")), (bool(client.phone), _("phone")), (bool(client.email), _("e-mail")),
        (bool(client.street or client.city or client.postcode), _("address")),
        (bool(client.birth_day or client.birth_year), _("date of birth")), (bool(client.note), _("client note")),
        (client.tags.exists(), _("tags")),
        (ClientContact.objects.filter(client__in=ids).exists(), _("further contacts")),
        (client.links.exists() or client.linked_by.exists(), _("family and guardians")),
        (HealthNote.objects.filter(client__in=ids).exists(), _("health note")),
    ]  # fmt: skip
    first = ", ".join(word for is_there, word in holds if is_there)
    lines: list[Line] = [first[:1].upper() + first[1:]]
    if sheets := SignedForm.objects.filter(subject__client__in=ids).count():
        lines.append(ngettext("%(count)d photo of a signed form", "%(count)d photos of signed forms", sheets) % {"count": sheets})
    if len(ids) > 1:
        count = len(ids) - 1
        lines.append(
            ngettext("%(count)d card that was merged into this one", "%(count)d cards that were merged into this one", count)
            % {"count": count}
        )
    return [
        *lines, *above.erased(ids), _("Files of exports that wait to be downloaded, and lists of imports that name the client")
    ]  # fmt: skip


def _kept(client: Client, ids: Sequence[int], now: dt.datetime) -> list[Line]:
    lines = above.kept(ids)
    if count := ConsentEvent.objects.filter(subject__client__in=ids).count():
        year = lengths.after(now.date(), lengths.months("ledger")).year
        words = ngettext(
            "%(count)d answer about marketing, as proof, until %(year)d",
            "%(count)d answers about marketing, as proof, until %(year)d",
            count,
        )
        lines.append(words % {"count": count, "year": year})
    if client.email or client.phone:
        lines.append(_("A scrambled mark of e-mail and phone, so that marketing never starts again by an import"))
    return lines


def _is_shared(client: Client) -> bool:
    """Return whether somebody else has the same e-mail or phone: marketing stops for that address, whoever has it."""
    others = Client.objects.filter(erased_at=None).exclude(pk=client.pk)
    return (bool(client.email) and others.filter(email=client.email).exists()) or (
        bool(client.phone) and others.filter(phone=str(client.phone)).exists()
    )
