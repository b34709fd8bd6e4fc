"""What the sources promise about themselves: sizes, imports at the top, one door for messages, no word out of place."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("salon", "clients", "appointments", "notifications")
SOURCES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# "About 300": a file is split by meaning, not cut at a line.
FILE_LINES, FUNCTION_LINES, VIEW_LINES = 310, 50, 25
# Longer than the house likes, with the reason. Nothing is added here without one.
LONG_FILES = {
    "notifications/models.py": "the tables of what is said read better in one place",
    "notifications/dispatch.py": "a hand-over from the claim to its end, whose steps only make sense in their order",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines the function has below its head, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def long_functions(source: str, limit: int) -> list[str]:
    return [function.name for function in functions(ast.parse(source)) if body_lines(function) > limit]


def hidden_imports(source: str) -> list[str]:
    """Return the functions that import something themselves, AppConfig.ready left out: Django asks for it there."""
    return [
        function.name
        for function in functions(ast.parse(source))
        if function.name != "ready" and any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
    ]


def calls_of(source: str, word: str) -> bool:
    """Return whether `source` calls something of that name."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any((call.id if isinstance(call, ast.Name) else getattr(call, "attr", "")) == word for call in calls)


def keywords(source: str, word: str) -> bool:
    """Return whether `source` passes the keyword `word` to any call."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(keyword.arg == word for call in calls for keyword in call.keywords)


INLINE = re.compile(
    r"<style[\s>]|<script(?![^>]*\bsrc=)[\s>]|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|hx-on|javascript:|\bjs:", re.IGNORECASE
)


def inline_parts(template: str) -> list[str]:
    """Return what a strict Content-Security-Policy would refuse."""
    without_comments = re.sub(r"{% comment %}.*?{% endcomment %}", "", template, flags=re.DOTALL)
    return INLINE.findall(without_comments)


def test_no_file_is_too_long() -> None:
    long = {name_of(path): lines for path in SOURCES if (lines := len(path.read_text().splitlines())) > FILE_LINES}
    assert {name: lines for name, lines in long.items() if name not in LONG_FILES} == {}


def test_the_list_of_long_files_is_not_longer_than_needed() -> None:
    assert {name for name in LONG_FILES if len((ROOT / name).read_text().splitlines()) <= FILE_LINES} == set()


def test_no_function_is_too_long() -> None:
    long = {name_of(path): found for path in SOURCES if (found := long_functions(path.read_text(), FUNCTION_LINES))}
    assert long == {}


def test_no_view_is_too_long() -> None:
    views = [path for path in SOURCES if "views" in path.stem or "views" in path.parts]
    assert {name_of(path): found for path in views if (found := long_functions(path.read_text(), VIEW_LINES))} == {}


def test_nothing_is_imported_inside_a_function() -> None:
    assert {name_of(path): found for path in SOURCES if (found := hidden_imports(path.read_text()))} == {}


def test_only_the_gate_says_send() -> None:
    assert [name_of(path) for path in SOURCES if calls_of(path.read_text(), "Send")] == ["notifications/gate.py"]


def test_the_lock_of_a_client_is_never_weakened() -> None:
    assert [name_of(path) for path in SOURCES if keywords(path.read_text(), "no_key")] == []


def test_no_template_has_a_style_or_a_script_of_its_own() -> None:
    assert {name_of(path): found for path in TEMPLATES if (found := inline_parts(path.read_text()))} == {}


def test_no_modules_are_named_after_nothing() -> None:
    empty = {"services", "utils", "helpers", "managers", "common"}
    assert [name_of(path) for path in SOURCES if path.stem in empty] == []


def test_no_signals_between_apps() -> None:
    ours = [path for path in SOURCES if re.search(r"django\.dispatch|db\.models\.signals", path.read_text())]
    assert [name_of(path) for path in ours] == []


@pytest.mark.parametrize(
    ("finds", "bad", "good"),
    [
        (lambda text: long_functions(text, 2), "def f():\n    a()\n    b()\n    c()\n", "def f():\n    a()\n    b()\n"),
        (hidden_imports, "def f():\n    import os\n", "import os\ndef ready():\n    from a import b\n"),
        (lambda text: calls_of(text, "Send"), "x = gate.Send(1)", "x: Send = decide()"),
        (lambda text: keywords(text, "no_key"), "q.select_for_update(no_key=True)", "q.select_for_update(of=('self',))"),
        (inline_parts, "<p style='color: red'>", "<p class='s-muted'>"),
        (inline_parts, "<script>alert(1)</script>", "<script src='/static/app.js' defer></script>"),
        (inline_parts, "<button onclick='go()'>", "<button data-on='x'>"),
    ],
)
def test_each_of_these_guards_finds_what_it_looks_for(finds, bad: str, good: str) -> None:  # type: ignore[no-untyped-def]
    assert finds(bad)
    assert not finds(good)
