"""Filters of the list under a name, for everybody in the salon: kept, shown as a menu, dropped with Undo."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clients import lists
from clients.models import SavedFilter
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

MOST = 50
_UNDO = "clients.savedfilters.undo"
_UNDO_LASTS = 10 * 60


@transaction.atomic
def save(*, name: str, wanted: Mapping[str, Any], by: User, now: dt.datetime) -> SavedFilter:
    """Keep filters, status and order of the list `wanted` under a name and return the row. What was typed is not kept.

    Raises Refused for no filter, no name, a name that is taken, and more than 50.
    """
    words = " ".join(name.split())[:60]
    query = query_of(wanted)
    if not words:
        raise Refused(_("Enter a name."), field="name")
    if not query:
        raise Refused(_("Choose a filter first."))
    if SavedFilter.objects.count() >= MOST:
        raise Refused(_("A salon keeps at most %(count)d filters. Delete one first.") % {"count": MOST})
    try:
        with transaction.atomic():
            row = SavedFilter.objects.create(name=words, query=query, by=by, created_at=now)
    except IntegrityError as error:
        raise Refused(_("There is a filter of this name already."), field="name") from error
    audit.record("filter.saved", row, by=by)
    return row


@transaction.atomic
def delete(row: SavedFilter, *, by: User) -> str:
    """Drop a saved filter and return the token that brings it back as it was."""
    facts = {"name": row.name, "query": row.query, "by": row.by_id, "at": row.created_at.isoformat(), "pk": row.pk}
    audit.record("filter.deleted", row, by=by)
    row.delete()
    return signing.dumps(facts, salt=_UNDO)


@transaction.atomic
def undo(token: str, *, by: User) -> SavedFilter:
    """Bring a dropped filter back. Raises Refused for an old or foreign token, and where its name was given anew."""
    try:
        facts = signing.loads(token, salt=_UNDO, max_age=_UNDO_LASTS)
        with transaction.atomic():
            row = SavedFilter.objects.create(
                pk=facts["pk"], name=facts["name"], query=facts["query"], by_id=facts["by"],
                created_at=dt.datetime.fromisoformat(facts["at"]),
            )  # fmt: skip
    except (signing.BadSignature, IntegrityError) as error:
        raise Refused(_("This cannot be undone any more.")) from error
    audit.record("filter.restored", row, by=by)
    return row


def query_of(wanted: Mapping[str, Any]) -> str:
    """Return what is kept of a list: everything of its address but the search and the page."""
    return lists.query(wanted, text="", number=1)
