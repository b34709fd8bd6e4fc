"""The journal of erasures grows for years: what is asked of it every few seconds reads what is new, and says the same."""

import datetime as dt
import json
import os
import random
import uuid
from collections.abc import Iterator

import pytest

from clients.erasure import journal

NOW = dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _none() -> Iterator[None]:
    journal.path().unlink(missing_ok=True)
    yield
    journal.path().unlink(missing_ok=True)


def write() -> uuid.UUID:
    case = uuid.uuid4()
    journal.write(journal.Entry(case, NOW, "tidying", [(1, NOW)], [("email", "a" * 64)]))
    return case


def fill(count: int) -> None:
    for _number in range(count):
        journal.settle(write())


def expected() -> set[str]:
    """Return the open cases as the whole file says it, line by line."""
    lines = []
    for raw in journal.path().read_text().splitlines() if journal.path().exists() else ():
        try:
            lines.append(json.loads(raw))
        except ValueError:
            continue
    ended = {line["case"] for line in lines if "done" in line or "void" in line}
    return {line["case"] for line in lines if "cards" in line and "is_open" in line} - ended


def found() -> set[str]:
    return {str(entry.case) for entry in journal.unsettled()}


@pytest.mark.parametrize("seed", range(12))
def test_what_is_open_is_what_the_whole_file_says_whatever_became_of_it(seed: int) -> None:
    """Lines begun and ended, cut off, taken from an older file, put in place of the file, and the file gone."""
    chance, cases, olds = random.Random(seed), list[uuid.UUID](), list[bytes]()
    path = journal.path()
    for _step in range(60):
        act = chance.choice(["write"] * 4 + ["settle", "void", "cut", "cut_newline", "older", "replace", "gone", "keep"])
        if act == "write" or not path.exists():
            cases.append(write())
        elif act in {"settle", "void"}:
            (journal.settle if act == "settle" else journal.take_back)(chance.choice(cases))
        elif act == "cut":
            os.truncate(path, max(0, path.stat().st_size - chance.randrange(1, 400)))
        elif act == "cut_newline":
            path.write_bytes(path.read_bytes().rstrip(b"\n"))
        elif act == "older" and olds:  # the same file, written anew
            path.write_bytes(chance.choice(olds))
        elif act == "replace" and olds:
            other = path.with_suffix(".other")
            other.write_bytes(chance.choice(olds))
            other.replace(path)
        elif act == "gone":
            path.unlink()
        elif act == "keep":
            olds.append(path.read_bytes())
        if chance.random() < 0.7:
            assert found() == expected(), act
    assert found() == expected()


def test_a_tick_reads_nothing_of_a_journal_that_did_not_grow_and_an_erasure_its_end_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(300)
    assert found() == set()
    read, loads = list[object](), json.loads

    def counted(raw: bytes | str) -> object:
        if raw:
            read.append(raw)
        return loads(raw)

    monkeypatch.setattr(json, "loads", counted)
    assert found() == set()
    assert read == []
    case = write()
    assert found() == {str(case)}
    assert len(read) == 2, "the last line for its code, and the new one"
    monkeypatch.undo()
    assert journal.is_whole()


def test_a_line_that_was_cut_off_far_from_the_last_whole_one_does_not_break_the_chain() -> None:
    fill(3)
    path = journal.path()
    path.write_bytes(path.read_bytes() + b'{"case": "' + b"x" * 3 * journal._BLOCK)
    case = write()
    assert found() == {str(case)}
    assert not journal.is_whole(), "the line that was cut off is seen"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-2], lines[-1]]) + "\n")
    assert journal.is_whole(), "and the new one follows upon the last that is whole"
