"""The places that hold texts about people without saying whose they are: lists that came in, files that went out, sessions.

A list or a file that names the person goes whole: nobody is taken out of it singly. Called by the erasure, in its transaction.
"""

import json
import re
from collections import Counter
from collections.abc import Collection
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.erasure.mentions import Words
from clients.importing import stored
from clients.models import Export, ExportPart, Import, SavedFilter, Tag
from salon.core import leases
from salon.core.errors import Refused
from salon.core.models import Notice

# Models without a subject that hold people: emptied here, whole. A house test finds one that is forgotten.
WHOLE = ("clients.import", "clients.export", "clients.exportpart")
# How a message that waits in a session writes what is not ASCII.
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_AT_WORK = (Import.State.CHECKING, Import.State.RUNNING, Import.State.UNDOING)


def check(ids: Collection[int], words: Words) -> None:
    """Raise Refused while an import is at work on a list that names the person: it would write them down again."""
    lists = Import.objects.exclude(sheet=b"")
    # None of the others begins until we are done. One at work is not waited for: it waits for cards that are locked here.
    list(lists.exclude(state__in=_AT_WORK).select_for_update().order_by("pk").values_list("pk", flat=True))
    for row in lists.filter(state__in=_AT_WORK):
        if _is_in(row, words):
            raise Refused(_("An import of a list with this client is running. Delete them when it is done."))


def empty(ids: Collection[int], words: Words) -> Counter[str]:
    """Empty these places of the person and return counts by table."""
    counts: Counter[str] = Counter()
    counts["clients.import"] += _imports(ids, words)
    counts["clients.export"] += _exports(words)
    counts["sessions.session"] += _sessions(ids, words)
    counts["clients.savedfilter"] += _filters(words)
    counts["core.notice"] += _notices(ids)
    counts["admin.logentry"] += LogEntry.objects.filter(
        content_type__app_label="clients", content_type__model="client", object_id__in=[str(pk) for pk in ids]
    ).delete()[0]
    return +counts


def orphans(tag_ids: Collection[int]) -> int:
    """Delete the tags among these that nobody has any more: a word for one person says something about them."""
    return Tag.objects.filter(pk__in=tag_ids, clients=None).delete()[0]


def _imports(ids: Collection[int], words: Words) -> int:
    count = 0
    named = set(Import.objects.filter(cards__client__in=ids).values_list("pk", flat=True))
    rows = Import.objects.exclude(sheet=b"", report={}, columns=None, title="").exclude(state__in=_AT_WORK)
    for row in rows:
        if row.pk in named or _is_in(row, words):
            row.sheet, row.report, row.columns, row.title = b"", {}, None, ""
            if row.state in {Import.State.UPLOADED, Import.State.CHECKED}:
                row.state = Import.State.DISCARDED
            row.save(update_fields=["sheet", "report", "columns", "title", "state"])
            count += 1
    return count


def _is_in(row: Import, words: Words) -> bool:
    """Return whether a list names the person, or cannot be read: then nobody can say that it does not."""
    if words.are_in(row.title) or words.are_in(json.dumps(row.report, ensure_ascii=False)):
        return True
    if not bytes(row.sheet):
        return False
    try:
        sheet = stored.unpack(row.sheet)
    except Exception:  # noqa: BLE001 (whatever it is, it is not a list that we can clear)
        return True
    return any(words.are_in(" \n ".join(str(cell) for cell in line.cells)) for line in sheet.lines)


def _exports(words: Words) -> int:
    """Delete every file that waits: it was written while the person was in the book. One being written begins anew."""
    count = ExportPart.objects.values("source").distinct().count()
    ExportPart.objects.all().delete()
    Export.objects.filter(state=Export.State.READY).update(state=Export.State.EXPIRED, text="", size=0, password=None)
    for row in Export.objects.exclude(text="", purpose="").only("state", "text", "purpose"):
        if words.are_in(row.text) or words.are_in(row.purpose):
            is_open = row.state == Export.State.RUNNING
            state = Export.State.EXPIRED if is_open else row.state
            Export.objects.filter(pk=row.pk).update(text="", purpose="", state=state, password=None)
            count += 1
    Export.objects.filter(state=Export.State.RUNNING).update(**leases.FREE, rows_done=0)
    return count


def _sessions(ids: Collection[int], words: Words) -> int:
    """Drop from the sessions of the team what names the person or leads to their card: messages, pages to come back to."""
    paths = tuple(reverse("clients:card", args=[pk]) for pk in ids)
    count = 0
    for session in Session.objects.all():
        held = session.get_decoded()
        kept = {name: value for name, value in held.items() if name.startswith("_auth") or not _names(value, words, paths)}
        if len(kept) != len(held):
            session.session_data = _encoded(session, kept)
            session.save(update_fields=["session_data"])
            count += 1
    return count


def _names(value: Any, words: Words, paths: tuple[str, ...]) -> bool:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return any(path in text for path in paths) or words.are_in(text)


def _encoded(session: Session, held: dict[str, Any]) -> str:
    store = type(session).get_session_store_class()
    return str(store().encode(held)) if store else ""


def _filters(words: Words) -> int:
    named = [pk for pk, name in SavedFilter.objects.values_list("pk", "name") if words.are_in(name)]
    return SavedFilter.objects.filter(pk__in=named).delete()[0]


def _notices(ids: Collection[int]) -> int:
    led = Q()
    for pk in ids:
        led |= Q(url__startswith=reverse("clients:card", args=[pk]))
    return Notice.objects.filter(led).delete()[0]


def tags_of(ids: Collection[int]) -> list[int]:
    """Return the tags on these cards."""
    return list(Tag.objects.filter(clients__in=ids).distinct().values_list("pk", flat=True))
