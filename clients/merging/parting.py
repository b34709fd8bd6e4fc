"""Takes a text apart again that a merge made of several and that somebody edited since: pure, lines in and lines out.

What the other cards brought and what nobody touched goes from the main card, since each card gets its own text back. What
was typed since stays with the main card, as everything does that came since. Nothing is in two places, nothing is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True)
class Section:
    """What one card brought to the joined text: a line that says from where ("" for none), and the text as it was."""

    heading: str
    text: str
    is_main: bool = False


@dataclass(frozen=True)
class _Line:
    text: str
    section: int  # -1 between two
    is_heading: bool = False


def left(sections: Sequence[Section], edited: str) -> str:
    """Return what of the joined text, as it reads now, is the main card's.

    A heading stays above what was typed under it since, so that nobody takes it for the main card's own.
    """
    was, now = _lines(sections), edited.splitlines()
    owners = [-1] * len(now)  # by line of now: the section it belongs to
    goes, heads = [False] * len(now), dict[int, int]()
    for kind, a_from, a_to, b_from, b_to in SequenceMatcher(None, [line.text for line in was], now, autojunk=False).get_opcodes():
        for step in range(b_to - b_from):
            at = b_from + step
            if kind == "equal":
                line = was[a_from + step]
                goes[at] = line.section < 0 or not sections[line.section].is_main
                if line.is_heading:
                    heads[line.section] = at
            else:
                owners[at] = _around(was, a_from, a_to)
    for section, at in heads.items():
        goes[at] = not any(owner == section and now[one].strip() for one, owner in enumerate(owners))
    return _written(now, goes, set(heads.values()))


def _lines(sections: Sequence[Section]) -> list[_Line]:
    """Return the joined text as lines, each with the section that it is of."""
    found: list[_Line] = []
    for number, section in enumerate(sections):
        if found:
            found.append(_Line("", -1))
        if section.heading:
            found.append(_Line(section.heading, number, is_heading=True))
        found += [_Line(text, number) for text in section.text.splitlines()]
    return found


def _around(was: Sequence[_Line], start: int, end: int) -> int:
    """Return the section inside which something was typed: all that it took the place of, or both lines beside it. Else -1."""
    beside = {line.section for line in was[start:end] if line.section >= 0} if end > start else set[int]()
    if end == start and 0 < start < len(was):
        beside = {was[start - 1].section, was[start].section}
    return beside.pop() if len(beside) == 1 else -1


def _written(now: Sequence[str], goes: Sequence[bool], heads: set[int]) -> str:
    """Return the lines that stay, with one empty line where something went between two, but for under a heading."""
    found: list[str] = []
    is_gap, last = False, -1
    for at, (text, is_gone) in enumerate(zip(now, goes, strict=True)):
        if is_gone:
            is_gap = True
            continue
        if is_gap and found and found[-1].strip() and text.strip() and last not in heads:
            found.append("")
        if is_gap and not text.strip() and (not found or not found[-1].strip()):
            continue
        is_gap, last = False, at
        found.append(text)
    return "\n".join(found).strip()
