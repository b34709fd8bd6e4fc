"""Whatever is written into the audit trail is told on the activity page: every code of the sources has its sentence."""

import ast
from collections.abc import Iterable, Iterator
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
    "held_count": 2, "updated_count": 2, "taken_back_count": 3, "kept_count": 1, "role": "stylist",
    "before": "booked", "after": "done",
    "channel": "email", "channels": ["email"], "purposes": ["mkt.promotion"], "kinds": ["grant"], "kind": "reminder",
    "reason": "important", "purpose": "mkt.promotion", "language": "fr", "preset": "contacts", "who": "all",
    "outcome": "accepted", "phase": "reply", "code": "250", "is_on": True,
}  # fmt: skip


class Unclear(Exception):
    """A call of `audit.record` whose code cannot be read from the source."""


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Yield the calls of the function `name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
            yield node


def _records(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that write into the audit trail: of `audit.record` and its like."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("audit.record"):
            yield node


def _texts(node: ast.expr) -> list[str] | None:
    """Return the texts that an expression can be, or None for one that is no text of the source."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        one, other = _texts(node.body), _texts(node.orelse)
        return None if one is None or other is None else one + other
    return None


def codes_in(source: str, module: str = "", others: Iterable[ast.AST] = ()) -> set[str]:
    """Return every code that the source of `module` can write. Raises Unclear for a code that comes from elsewhere.

    A code may be a text, one of two, a name given one of these in the same function, or an argument: then it is what
    the callers of the function give, in this file or as "module.function" in `others`.
    """
    tree = ast.parse(source)
    found: set[str] = set()
    inner = {id(call): function for function in _functions(tree) for call in _records(function)}
    for call in _records(tree):
        function = inner.get(id(call))
        texts = _texts(call.args[0])
        if texts is None and function is not None and isinstance(call.args[0], ast.Name):
            texts = _given(function, call.args[0].id)
            if texts is None:
                callers = [*_calls(tree, function.name)]
                callers += [one for other in others for one in _calls(other, f"{module}.{function.name}")]
                texts = _from_callers(function, call.args[0].id, callers)
        if texts is None:
            raise Unclear(ast.unparse(call))
        found.update(text for text in texts if text)
    return found


def _given(function: ast.FunctionDef, name: str) -> list[str] | None:
    """Return the texts that `name` is given in the function, or None where it is given something else or nothing."""
    values = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets)
    ]
    texts = [_texts(value) for value in values]
    return [text for some in texts for text in some or ()] if texts and None not in texts else None


def _from_callers(function: ast.FunctionDef, name: str, callers: Iterable[ast.Call]) -> list[str] | None:
    """Return the texts that the callers give to the argument `name`, or None where one gives something else."""
    places = [arg.arg for arg in function.args.args]
    if name not in (*places, *(arg.arg for arg in function.args.kwonlyargs)):
        return None
    found: list[str] = []
    for call in callers:
        given = [keyword.value for keyword in call.keywords if keyword.arg == name]
        given += call.args[places.index(name) :][:1] if name in places else []
        texts = _texts(given[0]) if given else None
        if texts is None:
            return None
        found += texts
    return found or None


def codes_of(paths: list[Path]) -> dict[str, str]:
    """Return every code of these sources, with the file that writes it."""
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    trees = [ast.parse(text) for text in texts.values() if "event=" in text or "audit.record" in text]
    return {code: name_of(path) for path, text in texts.items() for code in codes_in(text, path.stem, trees)}


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
        ('def f(x):\n    code = "made.on" if x else "made.off"\n    audit.record(code)', {"made.on", "made.off"}),
        ('audit.record_each("made.up", Row, ids, by=by)', {"made.up"}),
        ("log.record('made.up')", set()),
    ],
)
def test_control_a_code_is_found_wherever_it_is_written(source: str, codes: set[str]) -> None:
    assert codes_in(source) == codes


def test_control_a_code_is_followed_into_other_files() -> None:
    source, caller = "def f(row, *, event):\n    audit.record(event, row)", 'made.f(1, event="made.up")\nother.f(1, event="no")'
    assert codes_in(source, "made", [ast.parse(caller)]) == {"made.up"}


@pytest.mark.parametrize(
    "source",
    [
        "audit.record(f'made.{x}')", "audit.record(CODE)", "def f(e):\n    audit.record(e)\nf(g())",
        "def f(e):\n    audit.record(e)", "def f():\n    e = g()\n    audit.record(e)",
    ],
)  # fmt: skip
def test_control_a_code_that_cannot_be_read_is_a_fault(source: str) -> None:
    with pytest.raises(Unclear):
        codes_in(source)


def test_control_a_code_without_a_sentence_is_found() -> None:
    codes = codes_in('audit.record("client.added", row)\naudit.record("made.up", row)')
    assert [code for code in codes if activity.telling(code) is None] == ["made.up"]
