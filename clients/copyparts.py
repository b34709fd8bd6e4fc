"""What the client book itself puts into the copy that a client gets. Registered when the app starts."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients import datacopy, inactivity, ledger, survivors, wording
from clients.datacopy import Code, Part, Row
from clients.models import Channel, Client, ConsentEvent, HealthNote, RetentionHold, RightsRequest, SignedForm
from salon.core import countries, phone, secrets
from salon.core.models import Salon

# Kept for the search and the order of the list: made of what is in the copy anyway. And what is shown in other parts.
_ELSEWHERE = {"search_text", "sort_name", "tags", "note", "inactive_reason", "blacklisted_at", "marketing_paused_until"}
_FILES = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


def register() -> None:
    """Add the parts of the client book."""
    for part in _parts():
        datacopy.register(part)
    datacopy.register_files(_signed_forms)


def _parts() -> Sequence[Part]:
    names = [field for field in Client._meta.concrete_fields if field.name in Client.Privacy.erase - _ELSEWHERE]
    own = {field.name: field.verbose_name for field in names}
    return (
        Part("main", _("Main data"), own, lambda client: [{name: _plain(client, name) for name in own}], is_portable=True),
        Part(
            "contacts", _("Further contacts"), {"channel": _("Way"), "address": _("Address"), "label": _("For")},
            _contacts, is_portable=True,
        ),
        Part("family", _("Family and guardians"), {"kind": _("Who"), "since": _("Since"), "name": _("Name")}, _family),
        Part("health", _("Health note"), {"text": _("Text"), "patch": _("Patch test on")}, _health, is_portable=True),
        Part(
            "consents", _("Consents"),
            {
                "said_at": _("When"), "purpose": _("For"), "channel": _("Way"), "event": _("What"), "source": _("How"),
                "words": _("Words that were shown"), "note": _("Note"), "network": _("Network address, shortened"),
                "page": _("Page"), "browser": _("Code of the browser"),
            },
            _consents, is_portable=True,
        ),
        Part("note", _("Client note"), {"text": _("Text")}, lambda client: [{"text": client.note}] if client.note else []),
        Part(
            "marks", _("What the salon noted"),
            {"what": _("What"), "detail": _("Detail"), "since": _("Since"), "until": _("Until")}, _marks,
        ),
        Part(
            "requests", _("Requests about your data"),
            {"kind": _("What"), "received": _("Asked on"), "known": _("Identity"), "answered": _("Answered")}, _requests,
        ),
        Part("source", _("Where the data came from"), {"what": _("What"), "since": _("Since")}, _source),
    )  # fmt: skip


def _plain(client: Client, name: str) -> str | int | None:
    """Return a field of the card, with its words where what is stored is a code."""
    value = getattr(client, name)
    if value is None or isinstance(value, int):
        return value
    if name == "phone":
        return _number(str(value))
    if name == "country":
        return Code(value, countries.name(value))
    field: Any = Client._meta.get_field(name)
    labels = dict(field.flatchoices)
    return Code(value, labels[value]) if value in labels else str(value)


def _number(e164: str) -> Code:
    return Code(e164, phone.show(e164, Salon.objects.current().country))


def _contacts(client: Client) -> Sequence[Row]:
    return [
        {
            "channel": row.get_channel_display(), "label": row.label,
            "address": _number(row.address) if row.channel == Channel.SMS else row.address,
        }
        for row in client.contacts.all()
    ]  # fmt: skip


def _family(client: Client) -> Sequence[Row]:
    """Return that there is a link. Who it is, is the other one's data."""
    own: list[Row] = [
        {"kind": row.get_kind_display(), "since": row.created_at.date(), "name": "•••"} for row in client.links.all()
    ]
    linked = _("Linked from another card")
    own += [{"kind": linked, "since": row.created_at.date(), "name": "•••"} for row in client.linked_by.all()]
    return own


def _health(client: Client) -> Sequence[Row]:
    rows = HealthNote.objects.filter(client=client)
    return [{"text": row.text, "patch": row.patch_tested_on} for row in rows]


def _consents(client: Client) -> Sequence[Row]:
    events: QuerySet[ConsentEvent] = ConsentEvent.objects.filter(subject__client=client).select_related("text", "evidence")
    return [_consent(event, Salon.objects.current()) for event in events.order_by("effective_at", "pk")]


def _consent(event: ConsentEvent, salon: Salon) -> Row:
    evidence = getattr(event, "evidence", None)
    return {
        "said_at": event.effective_at, "purpose": ledger.PURPOSES.get(event.purpose, event.purpose),
        "channel": ledger.CHANNELS.get(event.channel, event.channel), "event": ledger.EVENTS.get(event.event, event.event),
        "source": event.get_source_display(), "words": wording.shown(event.text, salon) if event.text else "",
        "note": evidence.note if evidence else "", "network": evidence.ip_truncated if evidence else "",
        "page": evidence.page if evidence else "", "browser": evidence.user_agent_hash if evidence else "",
    }  # fmt: skip


def _marks(client: Client) -> Sequence[Row]:
    found: list[Row] = [{"what": _("Tag"), "detail": tag.name, "since": None} for tag in client.tags.all()]
    days = (
        (_("Inactive"), inactivity.REASONS.get(client.inactive_reason, client.inactive_reason), client.inactive_at),
        (_("No marketing until"), "", client.marketing_paused_until),
    )  # fmt: skip
    found += [{"what": what, "detail": detail, "since": since} for what, detail, since in days if since]
    found += [
        {
            "what": _("Blacklist"), "detail": ": ".join(filter(None, (row.get_reason_display(), row.words))), "since": row.at,
            "until": row.lifted_at or row.until,
        }
        for row in client.blacklistings.order_by("pk")
    ]  # fmt: skip
    for hold in RetentionHold.objects.filter(client=client):
        found.append({"what": _("Kept on purpose"), "detail": hold.reason, "since": hold.at, "until": hold.until})
    for row in client.restrictions.order_by("pk"):
        found.append({"what": row.get_reason_display(), "detail": row.note, "since": row.set_at})
    return found


def _requests(client: Client) -> Sequence[Row]:
    rows = RightsRequest.objects.filter(client=client).order_by("pk")
    return [
        {
            "kind": row.get_kind_display(),
            "received": row.received_on,
            "known": row.get_known_by_display(),
            "answered": row.answered_at,
        }
        for row in rows
    ]


def _source(client: Client) -> Sequence[Row]:
    lists: list[Row] = [{"what": _("A list that the salon brought in"), "since": row.at} for row in client.imports.order_by("pk")]
    return [{"what": _("The card was made"), "since": survivors.since([client])[client.pk]}, *lists]


def _signed_forms(client: Client) -> Sequence[tuple[str, bytes]]:
    found = []
    for row in SignedForm.objects.filter(subject__client=client).order_by("pk"):
        try:
            data = secrets.unseal_bytes(bytes(row.data))
        except secrets.Unreadable:
            continue
        found.append((f"signed-form-{row.signed_on.isoformat()}-{row.pk}.{_FILES.get(row.content_type, 'bin')}", data))
    return found
