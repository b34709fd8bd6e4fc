"""Everything that happened with a client, newest first: visits and messages of the rooms above, changes, consents.

Reads only. No room reads more than the page shows; changes name fields, never what stood in them.
"""

import datetime as dt
import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import ledger, rooms, survivors
from clients.merging import undoing
from clients.models import Client, Tag
from clients.rooms import Entry, Room
from salon.core.models import AuditEvent, User
from salon.core.roles import May

FIRST, MORE = 8, 50
FIELDS: Mapping[str, str | Promise] = {
    "first_name": lazy("first name"), "last_name": lazy("last name"), "email": lazy("e-mail"), "phone": lazy("phone"),
    "language": lazy("language"), "birth_day": lazy("date of birth"), "birth_month": lazy("date of birth"),
    "birth_year": lazy("date of birth"), "street": lazy("street"), "postcode": lazy("postcode"), "city": lazy("town"),
    "country": lazy("country"), "note": lazy("client note"), "preferred_channel": lazy("likes to be reached by"),
    "came_through": lazy("found us through"),
}  # fmt: skip
# What the timeline tells of the audit trail: word and icon.
CHANGES: Mapping[str, tuple[str | Promise, str]] = {
    "client.added": (lazy("Card made"), "user-plus"),
    "client.edited": (lazy("Details changed"), "pencil"),
    "client.note_written": (lazy("Client note written"), "note"),
    "client.tagged": (lazy("Tag added"), "tag"),
    "client.untagged": (lazy("Tag taken off"), "tag"),
    "client.contact_added": (lazy("Further contact added"), "phone"),
    "client.contact_removed": (lazy("Further contact taken off"), "phone"),
    "client.linked": (lazy("Linked to another card"), "link"),
    "client.unlinked": (lazy("Link to another card taken away"), "link"),
    "client.usual_staff_set": (lazy("Usual stylist changed"), "user-check"),
    "client.health_written": (lazy("Health note written"), "lock"),
    "client.made_inactive": (lazy("Made inactive"), "user-off"),
    "client.made_active": (lazy("Made active again"), "user-check"),
    "client.blacklisted": (lazy("Put on the blacklist"), "calendar-off"),
    "client.unblacklisted": (lazy("Taken off the blacklist"), "user-check"),
    "client.marketing_paused": (lazy("Marketing paused by the client"), "clock-pause"),
    "client.marketing_resumed": (lazy("Pause of marketing ended by the client"), "clock-pause"),
    "address.tried_again": (lazy("E-mail address tried again"), "mail-check"),
    "client.merged": (lazy("Merged with another card"), "arrow-merge"),
    "client.unmerged": (lazy("Merge undone"), "arrow-back-up"),
}
_ICONS = {"yes": "check", "no": "ban", "wait": "hourglass"}


@dataclass(frozen=True)
class Chip:
    """One filter of the timeline."""

    name: str
    label: str | Promise
    is_current: bool


@dataclass(frozen=True)
class Timeline:
    """What the page shows: the newest entries of the chosen kind, how many older there are, how many a press brings."""

    entries: Sequence[Entry]
    chips: Sequence[Chip]
    kind: str
    older_count: int

    @property
    def next_count(self) -> int:
        """Return how many entries the next press adds."""
        return min(self.older_count, MORE)

    @property
    def next_shown(self) -> int:
        """Return how many entries there are to show then."""
        return len(self.entries) + self.next_count


def of(user: User, client: Client, *, kind: str = "", shown: int = FIRST, now: dt.datetime) -> Timeline:
    """Return the newest `shown` entries of a client, of one kind or (for no kind or an unknown one) of all."""
    every = [*rooms.above(), CHANGES_ROOM, CONSENTS_ROOM]
    chosen = [room for room in every if room.name == kind] or every
    kind = chosen[0].name if len(chosen) == 1 else ""
    lines = [room.entries_of(user, client, now, shown) for room in chosen]
    entries = list(heapq.merge(*lines, key=lambda entry: entry.at, reverse=True))[:shown]
    counts = {room.name: room.count_of(user, client) for room in every if room in chosen or room.is_rare}
    count = sum(counts[room.name] for room in chosen)
    named = [room for room in every if not room.is_rare or counts[room.name]]
    chips = [Chip("", _("All"), not kind), *(Chip(room.name, room.label, room.name == kind) for room in named)]
    return Timeline(entries, chips, kind, max(0, count - len(entries)))


def _changes(user: User, client: Client, now: dt.datetime, limit: int) -> list[Entry]:
    events = list(_events(client).select_related("by").order_by("-at", "-pk")[:limit])
    names = dict(
        Tag.objects.filter(pk__in=[event.facts["tag"] for event in events if "tag" in event.facts]).values_list("pk", "name")
    )
    merges = undoing.open_for(client, now=now) if user.may(May.MERGE) and _has_merge(events) else {}
    return [_change(event, names, merges) for event in events]


def _has_merge(events: Sequence[AuditEvent]) -> bool:
    return any(event.action == "client.merged" for event in events)


def _change(event: AuditEvent, tags: Mapping[int, str], merges: Collection[int]) -> Entry:
    title, icon = CHANGES[event.action]
    fields = dict.fromkeys(FIELDS[name] for name in event.facts.get("fields", ()) if name in FIELDS)
    details = [
        ", ".join(str(name) for name in fields),
        tags.get(event.facts.get("tag", 0), ""),
        event.by.name if event.by else "",
    ]
    merge = event.facts.get("merge") if event.action == "client.merged" else None
    undo = {"url": reverse("clients:merge_undo", args=[merge]), "act": _("Undo merge")} if merge in merges else {}
    return Entry(event.at, icon, title, [detail for detail in details if detail], **undo)


def _count_changes(user: User, client: Client) -> int:
    return _events(client).count()


def _events(client: Client) -> "QuerySet[AuditEvent]":
    """Return the changes of the card, and of those it took in."""
    ids = [client.pk, *survivors.taken_in_by(client.pk)]
    return AuditEvent.objects.filter(subject_type=Client._meta.label_lower, subject_id__in=ids, action__in=CHANGES)


def _consents(user: User, client: Client, now: dt.datetime, limit: int) -> list[Entry]:
    lines = sorted(ledger.entries(client), key=lambda line: line.event.effective_at, reverse=True)
    return [_consent(line, client) for line in lines[:limit]]


def _consent(line: ledger.Line, client: Client) -> Entry:
    event = line.event
    who = event.actor.name if event.actor else _("the client") if event.actor_type == "client" else ""
    words = [", ".join(str(purpose) for purpose in line.purposes), line.way, who]
    words += [_("Undone by %(name)s: it does not count") % {"name": line.undone_by}] if line.undone_at else []
    title = f"{line.word} · {line.channel}" if line.channel else str(line.word)
    return Entry(
        event.effective_at, "arrow-back-up" if line.undone_at else _ICONS.get(line.sign, "info-circle"), title,
        [word for word in words if word], url=reverse("clients:consent_history", args=[client.pk]), act=_("Proof"),
    )  # fmt: skip


def _count_consents(user: User, client: Client) -> int:
    return len(ledger.entries(client))


CHANGES_ROOM = Room("changes", lazy("Changes"), _changes, _count_changes)
CONSENTS_ROOM = Room("consents", lazy("Consents"), _consents, _count_consents)
