"""A tag on many cards in one act: put on, taken off, and taken back exactly. The only writer of TagRun.

All of it or nothing, in chunks so that no statement grows with the list. Called by the pages of the list.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from django.db import transaction
from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import access, tags
from clients.models import Client, Tag, TagRun
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

CHUNK = 500
# So long the page of a run and its Undo are kept.
KEPT_FOR = dt.timedelta(days=1)
REASONS: Mapping[str, Promise] = {
    "gone": lazy("Not in the book any more, or restricted"),
    "full": lazy("Has 20 tags already"),
    "has": lazy("Has the tag already"),
    "has_not": lazy("Has not got the tag"),
}
_On = Client.tags.through


@transaction.atomic
def add(ids: Collection[int], *, name: str, by: User, now: dt.datetime) -> TagRun:
    """Put the tag called `name` on these cards and return the run, which knows whose card did not take it and why.

    Raises Refused for no name.
    """
    return _run(ids, tags.called(name), is_added=True, by=by, now=now)


@transaction.atomic
def remove(ids: Collection[int], tag: Tag, *, by: User, now: dt.datetime) -> TagRun:
    """Take the tag off these cards and return the run."""
    return _run(ids, tag, is_added=False, by=by, now=now)


@transaction.atomic
def undo(run: TagRun, *, by: User, now: dt.datetime) -> int:
    """Take a run back on every card that it changed, and return on how many. What was changed since stays.

    Raises Refused for a run that was taken back already, or is too old.
    """
    row = TagRun.objects.select_for_update().get(pk=run.pk)
    if row.undone_at is not None or now > row.created_at + KEPT_FOR:
        raise Refused(_("This cannot be undone any more."))
    done, _refused = _apply(row.changed, row.tag, is_added=not row.is_added, by=by)
    row.undone_at = now
    row.save(update_fields=["undone_at"])
    audit.record("tags.undone", row, by=by, clients_count=len(done))
    _record_each(done, row, is_added=not row.is_added, by=by)
    return len(done)


def on(clients: Collection[int]) -> list[tuple[Tag, int]]:
    """Return the tags that some of these clients have, each with how many."""
    counts: dict[int, int] = {}
    for some in _chunks(sorted(clients)):
        for tag, count in _On.objects.filter(client__in=some).values_list("tag").annotate(count=Count("pk")):
            counts[tag] = counts.get(tag, 0) + count
    return [(tag, counts[tag.pk]) for tag in Tag.objects.filter(pk__in=counts)]


def _run(ids: Collection[int], tag: Tag, *, is_added: bool, by: User, now: dt.datetime) -> TagRun:
    TagRun.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    done, refused = _apply(ids, tag, is_added=is_added, by=by)
    run = TagRun.objects.create(
        tag=tag, is_added=is_added, by=by, created_at=now, changed=done, refused={str(pk): why for pk, why in refused.items()}
    )
    action = "clients.tagged" if is_added else "clients.untagged"
    audit.record(action, run, by=by, tag=tag.pk, clients_count=len(done), refused_count=len(refused))
    _record_each(done, run, is_added=is_added, by=by)
    return run


def _record_each(ids: Collection[int], run: TagRun, *, is_added: bool, by: User) -> None:
    audit.record_each("client.tagged" if is_added else "client.untagged", Client, ids, by=by, of=run, tag=run.tag_id)


def _apply(ids: Collection[int], tag: Tag, *, is_added: bool, by: User) -> tuple[list[int], dict[int, str]]:
    """Change the cards that can be changed, locked in the order of their ids; return them, and why not by the id of the rest."""
    done: list[int] = []
    refused: dict[int, str] = {}
    change: Callable[[Sequence[int], Tag], dict[int, str]] = _put_on if is_added else _take_off
    for some in _chunks(sorted(ids)):
        here = list(access.clients_for(by).filter(pk__in=some).select_for_update().order_by("pk").values_list("pk", flat=True))
        against = change(here, tag)
        refused |= dict.fromkeys(set(some).difference(here), "gone") | against
        done += [pk for pk in here if pk not in against]
    return done, refused


def _put_on(ids: Sequence[int], tag: Tag) -> dict[int, str]:
    against = dict.fromkeys(_with(ids, tag), "has")
    counted = _On.objects.filter(client__in=ids).values_list("client").annotate(count=Count("pk"))
    against |= {pk: "full" for pk, count in counted if count >= tags.MOST and pk not in against}
    _On.objects.bulk_create([_On(client_id=pk, tag_id=tag.pk) for pk in ids if pk not in against])
    return against


def _take_off(ids: Sequence[int], tag: Tag) -> dict[int, str]:
    with_it = _with(ids, tag)
    _On.objects.filter(client__in=ids, tag=tag).delete()
    return {pk: "has_not" for pk in ids if pk not in with_it}


def _with(ids: Sequence[int], tag: Tag) -> set[int]:
    return set(_On.objects.filter(client__in=ids, tag=tag).values_list("client", flat=True))


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
