"""Every text is there in every language, with its placeholders, and the compiled files are those of the sources."""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings

from notifications import filling, kinds, texts
from salon.core import catalogues

NAMES = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def template() -> Catalog:
    return catalogues.template_catalog(settings.BASE_DIR)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A repository with nothing but our translations, to break."""
    shutil.copytree(settings.BASE_DIR / "locale", tmp_path / "locale")
    return tmp_path


def whats(root: Path, language: str, template: Catalog) -> set[str]:
    return {fault.what for fault in catalogues.faults(root, language, template)}


def spoil(root: Path, language: str, old: str, new: str) -> None:
    path = catalogues.po_path(root, language)
    text = path.read_text(encoding="utf-8")
    assert old in text, "the text this control spoils has left the product: choose another"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_texts_of_the_product_are_found(template: Catalog) -> None:
    assert len(template) > 200
    assert template.get("Clients") is not None, "a text in Python"
    assert template.get("Skip to the content") is not None, "a text in a template"
    assert template.get("j M Y", "date format") is not None, "a text with a context"


def said_in(tree: ast.Module) -> Iterator[tuple[ast.Call, str | None, str]]:
    """Yield each call of gettext, under whatever name the module imports it, with its context and English text."""
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if "gettext" in alias.name
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            has_context = "pgettext" in names[node.func.id]
            if len(words) > has_context:
                yield node, str(words[0]) if has_context else None, str(words[has_context])


def in_f_strings(tree: ast.Module) -> set[int]:
    """Return the identities of all nodes inside f-strings, which the collecting of texts does not look into."""
    return {id(node) for whole in ast.walk(tree) if isinstance(whole, ast.JoinedStr) for node in ast.walk(whole)}


MODULES = [path for path in catalogues.sources(settings.BASE_DIR) if path.suffix == ".py"]


def unheard(source: str, template: Catalog) -> list[str]:
    """Return the texts of a module that no translator is asked for."""
    tree = ast.parse(source)
    hidden = in_f_strings(tree)
    return [text for call, context, text in said_in(tree) if id(call) in hidden or (text and template.get(text, context) is None)]


def test_every_text_in_python_reaches_the_translators(template: Catalog) -> None:
    found = {str(path): texts for path in MODULES if (texts := unheard(path.read_text(encoding="utf-8"), template))}
    assert not found, "not collected: give gettext its own line, under a name that catalogues.py knows"


@pytest.mark.parametrize("call", ["f\"{_('Clients')}\"", "_('never collected')"])
def test_control_a_text_that_is_not_collected_is_found(call: str, template: Catalog) -> None:
    assert unheard(f"from django.utils.translation import gettext as _\nx = {call}", template)


def test_all_languages_of_the_settings_are_translated() -> None:
    assert {code for code, _name in settings.LANGUAGES} == {"en", *catalogues.LANGUAGES}


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_no_text_is_missing_fuzzy_or_broken(language: str, template: Catalog) -> None:
    faults = catalogues.faults(settings.BASE_DIR, language, template)
    assert not faults, "run `manage.py messages`, translate, run it again:\n" + "\n".join(map(str, faults))


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_a_refresh_without_a_new_text_changes_no_file(language: str, copy: Path, template: Catalog) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("django.*")}
    catalogues.refresh(copy, language, template)
    assert {path: path.read_bytes() for path in copy.rglob("django.*")} == before


def test_control_a_missing_translation_is_found(copy: Path, template: Catalog) -> None:
    spoil(copy, "de", 'msgstr "Kunden"', 'msgstr ""')
    assert "not translated" in whats(copy, "de", template)


def test_control_a_fuzzy_translation_is_found(copy: Path, template: Catalog) -> None:
    spoil(copy, "de", 'msgid "Clients"', '#, fuzzy\nmsgid "Clients"')
    assert "fuzzy" in whats(copy, "de", template)


def test_control_a_lost_placeholder_is_found(copy: Path, template: Catalog) -> None:
    spoil(copy, "fr", 'msgstr "%(count)d min"', 'msgstr "quelques min"')
    assert any(what.startswith("placeholders") for what in whats(copy, "fr", template))


def test_control_a_compiled_file_of_yesterday_is_found(copy: Path, template: Catalog) -> None:
    spoil(copy, "fr", 'msgstr "Rechercher"', 'msgstr "Chercher"')
    assert "the compiled file is not the one of the .po" in whats(copy, "fr", template)


def test_control_an_ordinary_space_before_a_french_sign_is_found(copy: Path, template: Catalog) -> None:
    spoil(copy, "fr", 'msgstr "Erreur\u202f:"', 'msgstr "Erreur :"')
    assert "a sign without its narrow space before it" in whats(copy, "fr", template)


def test_control_a_text_that_nobody_says_any_more_is_found(copy: Path, template: Catalog) -> None:
    spoil(copy, "de", 'msgid "Clients"', 'msgid "Punters"')
    assert {"not in the catalogue", "no page says this any more"} <= whats(copy, "de", template)


def test_an_english_plural_gets_both_its_forms(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text(
        "{% load i18n %}\n  <p>{% blocktranslate trimmed count n=n %}\n    {{ n }} client\n"
        "  {% plural %}\n    {{ n }} clients\n  {% endblocktranslate %}</p>\n",
        encoding="utf-8",
    )
    found = catalogues.template_catalog(tmp_path)
    assert [message.id for message in found if message.id] == [("%(n)s client", "%(n)s clients")]


PARTS = [(kind, part) for kind, row in kinds.TABLE.items() for part in ("subject", "body") if "email" in row.hours]
PARTS += [(kind, "sms") for kind, row in kinds.TABLE.items() if "sms" in row.hours]


@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_a_message_says_the_same_things_in_every_language(kind: str, part: str) -> None:
    said = {
        code: set(NAMES.findall((texts.FOLDER / kind / code / f"{part}.txt").read_text(encoding="utf-8")))
        for code, _name in settings.LANGUAGES
    }
    assert said["fr"] == said["de"] == said["en"] <= filling.PLACEHOLDERS


def test_a_colon_is_part_of_the_text_before_it() -> None:
    """French writes a narrow space before it, which only the translation knows."""
    pages = {path: path.read_text(encoding="utf-8") for path in catalogues.sources(settings.BASE_DIR) if path.suffix == ".html"}
    assert not [path for path, text in pages.items() if re.search(r'translate "[^"]*" %\}:|endblocktranslate %\}:', text)]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_sentence_after_the_greeting_begins_with_a_capital(language: str) -> None:
    for path in texts.FOLDER.glob(f"[a-z]*/{language}/body.txt"):
        first = path.read_text(encoding="utf-8").split("\n\n")[1]
        assert not first[0].islower(), path


def test_a_french_text_elides_nothing_before_a_name() -> None:
    """What is called Atelier or Aminata cannot stand after "de" or "que"."""
    elided = re.compile(r"\b(?:de|que|ne) (?:\{salon\}|\{first_name\}|%\((?:salon|salon_name|name|who|by|low|high|domain)\)s)")
    said = {path.name: path.read_text(encoding="utf-8") for path in texts.FOLDER.rglob("fr/*.txt")}
    catalog = catalogues.read(settings.BASE_DIR, "fr")
    said |= {str(message.id): str(message.string) for message in catalog if message.id}
    assert not {text for text in said.values() if elided.search(text)}


def test_french_messages_have_narrow_spaces() -> None:
    """An SMS has no such space: it would more than double its price."""
    of_sms = {path for path in texts.FOLDER.rglob("fr/*.txt") if path.name == "sms.txt" or "_opt_out" in path.parts}
    assert not any("\u202f" in path.read_text(encoding="utf-8") for path in of_sms)
    for path in set(texts.FOLDER.rglob("fr/*.txt")) - of_sms:
        assert not re.search(r"[\w \u00a0][;!?»](?!\w)|[ \u00a0]:", path.read_text(encoding="utf-8")), path
