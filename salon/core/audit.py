"""The audit trail. Operations call `record` inside their own transaction; it never holds a value of a person."""

import re
from collections.abc import Iterable, Mapping, Sequence

from django.db import models

from salon.core.models import AuditEvent, User

_CODE = re.compile(r"[a-z0-9_.:,*-]{0,80}\Z")

# The fact of a line that is one of many of the same act: what the line of the whole act is about (`key_of`), if there is one.
MANY = "one_of_many"

Fact = int | bool | str | None | Sequence[str] | Sequence[int]


def record(action: str, subject: models.Model | None = None, *, by: User | None = None, **facts: Fact) -> AuditEvent:
    """Write down that `by` (None: the system) did `action` to `subject`, and return the event.

    `facts` may hold ids, counts, flags, field names and reason codes. Raises ValueError for any text that is
    not a code, so that no name, address or note can slip into a table that erasure does not clean.
    """
    _check(facts)
    return AuditEvent.objects.create(
        action=action,
        by=by,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        facts=facts,
    )


def record_each(
    action: str,
    subjects: type[models.Model],
    ids: Iterable[int],
    *,
    by: User | None,
    of: models.Model | None = None,
    **facts: Fact,
) -> None:
    """Write down the same of each of many rows of one table, after the one line that the caller writes of the whole act.

    Those of several are told where one asks about the row, and not among everything else. `of` is the row that the line of
    the whole act is about: its page then lists them. Raises ValueError as `record` does.
    """
    _check(facts)
    kind, rows = subjects._meta.label_lower, list(ids)
    said: dict[str, Fact] = dict(facts)
    if of is not None:
        said[MANY] = key_of(of._meta.label_lower, of.pk)
    elif len(rows) > 1:
        said[MANY] = True
    events = [AuditEvent(action=action, by=by, subject_type=kind, subject_id=pk, facts=said) for pk in rows]
    AuditEvent.objects.bulk_create(events, batch_size=500)


def key_of(table: str, pk: int | None) -> str:
    """Return how the lines of an act on many name what the line of the whole is about."""
    return f"{table}:{pk}"


def _check(facts: Mapping[str, Fact]) -> None:
    for name, fact in facts.items():
        values = [fact] if isinstance(fact, str) else fact if isinstance(fact, (list, tuple, set)) else []
        for value in values:
            if isinstance(value, str) and not _CODE.match(value):
                raise ValueError(f"{name} holds text that is not a code")
        if isinstance(fact, Mapping):
            raise ValueError(f"{name} holds a mapping")
