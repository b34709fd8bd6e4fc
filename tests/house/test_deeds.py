"""Whatever is written into the audit trail is told on the activity page: every code of the sources has its sentence."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from django.utils.functional import Promise

from salon.core import activity
from tests.house.test_sources import ROOT, SOURCES, name_of

# One value for each fact that a sentence reads, and one event of each code: what `audit.record` was given somewhere.
FACTS: dict[str, Any] = {
    "fields": ["name"], "clients_count": 3, "rows_count": 3, "chosen_count": 2, "stopped_count": 2, "count": 2, "new_count": 4,
    "updated_count": 2, "taken_back_count": 3, "kept_count": 1, "role": "stylist", "before": "booked", "after": "done",
    "channel": "email", "channels": ["email"], "purposes": ["mkt.promotion"], "kinds": ["grant"], "kind": "reminder",
    "reason": "important", "purpose": "mkt.promotion", "language": "fr", "preset": "contacts", "who": "all",
    "outcome": "accepted", "phase": "reply", "code": "250", "is_on": True,
}  # fmt: skip


class Unclear(Exception):
    """A call of `audit.record` whose code cannot be read from the source."""


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Yield the calls of `name`: "audit.record", or a function of the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
            yield node


def _texts(node: ast.expr) -> list[str] | None:
    """Return the texts that an expression can be, or None for one that is no text of the source."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        one, other = _texts(node.body), _texts(node.orelse)
        return None if one is None or other is None else one + other
    return None


def codes_in(source: str) -> set[str]:
    """Return every code that the source can write. Raises Unclear for a code that comes from elsewhere.

    A function that is given its code as an argument is followed to its callers in the same file, one step.
    """
    tree = ast.parse(source)
    found: set[str] = set()
    inner = {id(call): function for function in _functions(tree) for call in _calls(function, "audit.record")}
    for call in _calls(tree, "audit.record"):
        texts = _texts(call.args[0])
        if texts is None:
            texts = _from_callers(tree, inner.get(id(call)), call.args[0])
        found.update(text for text in texts if text)
    return found


def _from_callers(tree: ast.AST, function: ast.FunctionDef | None, code: ast.expr) -> list[str]:
    names = [arg.arg for arg in function.args.args] if function else []
    if function is None or not isinstance(code, ast.Name) or code.id not in names:
        raise Unclear(ast.unparse(code))
    place, found = names.index(code.id), []
    for call in _calls(tree, function.name):
        given = [keyword.value for keyword in call.keywords if keyword.arg == code.id] or call.args[place : place + 1]
        texts = _texts(given[0]) if given else None
        if texts is None:
            raise Unclear(ast.unparse(call))
        found += texts
    return found


def codes_of(paths: list[Path]) -> dict[str, str]:
    """Return every code of these sources, with the file that writes it."""
    return {code: name_of(path) for path in paths for code in codes_in(path.read_text(encoding="utf-8"))}


def sentence(code: str, language: str) -> str:
    telling = activity.telling(code)
    assert telling is not None
    facts = {**FACTS, **({"before": "owner", "after": "manager"} if code.startswith("team.") else {})}
    with translation.override(language):
        words = telling.words(facts) if callable(telling.words) else telling.words
        refs = dict.fromkeys(telling.refs or {}, "Amélie")
        return str(words % {**facts, **telling.parts(facts), **refs, "who": activity.WHO})


def test_every_code_of_the_sources_has_a_sentence() -> None:
    codes = codes_of(SOURCES)
    assert len(codes) > 60
    assert {code: where for code, where in codes.items() if activity.telling(code) is None} == {}


def test_no_sentence_is_for_a_code_that_nobody_writes() -> None:
    assert set(activity._tellings) - set(codes_of(SOURCES)) == set()


@pytest.mark.parametrize("code", sorted(codes_of(SOURCES)))
def test_a_sentence_names_who_and_is_said_in_three_languages(code: str) -> None:
    said = {language: sentence(code, language) for language in ("en", "fr", "de")}
    assert all(text.count(activity.WHO) == 1 for text in said.values()), said
    assert len(set(said.values())) == 3, said
    assert not any("%(" in text for text in said.values()), said


def test_every_icon_of_a_sentence_is_drawn() -> None:
    drawn = (ROOT / "static/icons.svg").read_text(encoding="utf-8")
    assert {code: told.icon for code, told in activity._tellings.items() if f'id="{told.icon}"' not in drawn} == {}


def test_every_word_of_a_sentence_is_for_a_translator() -> None:
    loose = [
        code for code, told in activity._tellings.items() if not callable(told.words) and not isinstance(told.words, Promise)
    ]
    assert loose == []


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ('audit.record("made.up", row, by=by)', {"made.up"}),
        ('audit.record("made.on" if x else "made.off", row)', {"made.on", "made.off"}),
        ('def f(row, event):\n    audit.record(event, row)\nf(1, "made.up")\nf(2, event="")\n', {"made.up"}),
        ("log.record('made.up')", set()),
    ],
)
def test_control_a_code_is_found_wherever_it_is_written(source: str, codes: set[str]) -> None:
    assert codes_in(source) == codes


@pytest.mark.parametrize("source", ["audit.record(f'made.{x}')", "def f(e):\n    audit.record(e)\nf(g())", "audit.record(CODE)"])
def test_control_a_code_that_cannot_be_read_is_a_fault(source: str) -> None:
    with pytest.raises(Unclear):
        codes_in(source)


def test_control_a_code_without_a_sentence_is_found(tmp_path: Path) -> None:
    assert activity.telling("made.up") is None
