"""The client note and the health note of a main card after an undo, where somebody edited the joined text since."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils import translation

from clients.merging import handles
from clients.merging.parting import Section, left
from clients.merging.snapshots import Snapshot
from clients.models import Client, HealthNote, Merge, MergedHealthNote
from salon.core.models import AuditEvent


def note_left(winner: Client, snapshot: Snapshot) -> str:
    """Return what of the client note, as it reads now, is the main card's: what other cards brought goes back with them."""
    return left(_of_notes(snapshot), winner.note)


def _of_notes(snapshot: Snapshot) -> list[Section]:
    """Return the joined client note in parts. Its headings stand in it as the merge wrote them."""
    texts = {int(pk): str(before["note"]).strip() for pk, before in snapshot.before.items()}
    joined, found, known = str(snapshot.after.get("note", "")).splitlines(), list[Section](), set[str]()
    for pk in sorted(texts, key=lambda pk: pk != snapshot.winner):
        text = texts[pk]
        if not text or text in known:
            continue
        known.add(text)
        found.append(Section("", text, is_main=pk == snapshot.winner))
    if len(found) < 2:
        return found
    return [one if one.is_main else Section(_before(joined, one.text), one.text) for one in found]


def _before(joined: Sequence[str], text: str) -> str:
    """Return the line that stands before a text in the joined one."""
    lines = text.splitlines()
    for at in range(1, len(joined) - len(lines) + 1):
        if list(joined[at : at + len(lines)]) == lines and joined[at - 1].strip():
            return joined[at - 1]
    return ""


def is_health_edited(merge: Merge, snapshot: Snapshot) -> bool:
    """Return whether somebody wrote the health note of the main card since the merge, or emptied it."""
    written = AuditEvent.objects.filter(
        action="client.health_written", subject_type=Client._meta.label_lower, subject_id=snapshot.winner, at__gte=merge.at
    )
    return written.exists()


def part_health(merge: Merge, snapshot: Snapshot) -> None:
    """Leave on the main card what of its health note was written since the merge, and what was its own and stands still.

    Call it where the note was edited. A patch test that is still the joined one goes back as well.
    """
    note = HealthNote.objects.filter(client=snapshot.winner).first()
    if note is None:
        return
    kept = {one.card: one for one in MergedHealthNote.objects.filter(merge=merge)}
    own = kept.get(snapshot.winner)
    if set(kept) <= {snapshot.winner}:
        return
    note.text = left(_of_health(kept, snapshot, note.text), note.text)
    if note.patch_tested_on == max((one.patch_tested_on for one in kept.values() if one.patch_tested_on), default=None):
        note.patch_tested_on = own.patch_tested_on if own else None
    if not note.text and note.patch_tested_on is None:
        note.delete()
        return
    note.version += 1
    note.save(update_fields=["text", "patch_tested_on", "version"])


def _of_health(kept: Mapping[int, MergedHealthNote], snapshot: Snapshot, edited: str) -> list[Section]:
    """Return the joined health note in parts. It was not kept: a heading is the one of three languages that stands there."""
    own = kept.get(snapshot.winner)
    main = [Section("", own.text.strip(), is_main=True)] if own and own.text.strip() else []
    others = [note for pk, note in kept.items() if pk != snapshot.winner]
    if len({note.text.strip() for note in kept.values() if note.text.strip()}) < 2:
        return main or [Section("", note.text.strip()) for note in others if note.text.strip()][:1]
    lines = set(edited.splitlines())
    return [*main, *(Section(_heading(note, snapshot.before[str(note.card)], lines), note.text.strip()) for note in others)]


def _heading(note: MergedHealthNote, before: Mapping[str, Any], lines: set[str]) -> str:
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            text = handles.heading(before["first_name"], note.written_at)
        if text in lines:
            return text
    return ""
