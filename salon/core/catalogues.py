"""The translations: reads the words out of code and templates, keeps the .po files, writes the .mo files, finds faults.

Called by `manage.py messages` and the house test. Needs no gettext binaries and never invents a translation.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

LANGUAGES = ("fr", "de")
ROOMS = ("salon", "clients", "appointments", "notifications", "templates")
COMMENT = "Translators:"
NARROW_SPACE = "\u202f"

_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# A date in the header would change the files at every run; the history of the repository knows it better.
_HEADERS_LEFT_OUT = re.compile(
    rb'"(?:POT-Creation-Date|PO-Revision-Date|Report-Msgid-Bugs-To|Last-Translator|Language-Team|Generated-By):[^"]*"\n'
)
_DAWN = datetime(2026, 1, 1, tzinfo=UTC)
_PLACEHOLDER = re.compile(r"%\(\w+\)[#0\- +]*\d*(?:\.\d+)?[a-z]|%[sd]|\{\w*\}|</?[a-z]+")
_FRENCH_SIGN = re.compile(rf"(?<![{NARROW_SPACE}:;!?€«»/])[;!?€»](?!\w)|(?<![{NARROW_SPACE}\w]):(?=\s|$)|«(?!{NARROW_SPACE})")
_WORD_AND_COLON = re.compile(r"\w:(?=\s|$)")


@dataclass(frozen=True)
class Fault:
    """Something a translator has to mend: in which language, at which English text, and what."""

    language: str
    text: str
    what: str

    def __str__(self) -> str:
        return f"{self.language}: {self.what}: {self.text!r}"


def po_path(root: Path, language: str) -> Path:
    """Return where the translations of `language` are kept under the repository's `root`."""
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def template_catalog(root: Path) -> Catalog:
    """Return every text that code and templates under `root` show to people, in English and without translations."""
    catalog = Catalog(charset="utf-8")
    for path in sources(root):
        for line, texts, comments, context in _texts_in(path):
            catalog.add(texts, locations=[(str(path.relative_to(root)), line)], auto_comments=comments, context=context)
    return catalog


def read(root: Path, language: str) -> Catalog:
    """Return the translations of `language` as they are kept, or an empty catalogue for a new language."""
    path = po_path(root, language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, charset="utf-8")


def refresh(root: Path, language: str, template: Catalog) -> Catalog:
    """Bring the .po of `language` up to `template`, keep its translations, drop what nobody says any more.

    A text whose English changed is a new text: nothing is guessed, so nothing is ever fuzzy. Returns the catalogue.
    """
    catalog = read(root, language)
    catalog.update(template, no_fuzzy_matching=True, update_header_comment=False, keep_user_comments=True)
    save(root, language, catalog)
    return catalog


def save(root: Path, language: str, catalog: Catalog) -> None:
    """Write the .po and the .mo of `language`, each only if something in it changed."""
    path = po_path(root, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_if_new(path, _po_bytes(catalog))
    mo_path = path.with_suffix(".mo")
    if not mo_path.exists() or _in_mo(mo_path) != _in_po(catalog):
        mo_path.write_bytes(_mo_bytes(catalog))


def faults(root: Path, language: str, template: Catalog) -> list[Fault]:
    """Return what is wrong with the translations of `language`: missing, fuzzy, left over, changed placeholders, old .mo."""
    catalog = read(root, language)
    found: list[Fault] = []
    for message in template:
        if message.id:
            kept = catalog.get(_first(message), message.context)
            found += [Fault(language, _first(message), what) for what in _faults_of(message, kept, language)]
    for message in catalog:
        if message.id and template.get(_first(message), message.context) is None:
            found.append(Fault(language, _first(message), "no page says this any more"))
    mo_path = po_path(root, language).with_suffix(".mo")
    if not mo_path.exists() or _in_mo(mo_path) != _in_po(catalog):
        found.append(Fault(language, mo_path.name, "the compiled file is not the one of the .po"))
    return found


def _faults_of(message: Message, kept: Message | None, language: str) -> Iterator[str]:
    """Yield what is wrong with the translation `kept` of `message`."""
    if kept is None:
        yield "not in the catalogue"
        return
    said = _said(kept)
    if not all(said):
        yield "not translated"
        return
    if kept.fuzzy:
        yield "fuzzy"
    if isinstance(message.id, str) != isinstance(kept.id, str):
        yield "plural and singular differ"
    meant = [message.id] if isinstance(message.id, str) else list(message.id)
    # The form for one may leave the number out ("one client"); every form may hold no more than the English ones.
    whole = sorted(_PLACEHOLDER.findall(meant[-1]))
    for number, text in enumerate(said):
        held = sorted(_PLACEHOLDER.findall(text))
        is_short_form = number < len(said) - 1 and set(held) <= set(whole)
        if held != whole and not is_short_form:
            yield f"placeholders {held} instead of {whole}"
        if text != text.strip() and meant[0] == meant[0].strip():
            yield "a space at the beginning or end"
        if language == "fr" and not message.context and (_FRENCH_SIGN.search(text) or _WORD_AND_COLON.search(text)):
            yield "a sign without its narrow space before it"


def sources(root: Path) -> Iterator[Path]:
    """Yield the files that may hold texts, in a steady order."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts and "__pycache__" not in path.parts:
                yield path


def _texts_in(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    """Yield line, English text or texts, comments for the translator and context of each text in the file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix in {".html", ".txt"}:
        # Only the calls are left of the page; their indentation would be read as Python's.
        source = "\n".join(line.strip() for line in templatize(source, origin=str(path)).split("\n"))
    yield from extract("python", io.BytesIO(source.encode()), keywords=_KEYWORDS, comment_tags=[COMMENT], strip_comment_tags=True)


def _first(message: Message) -> str:
    """Return the English text, in the singular where there are two."""
    return message.id if isinstance(message.id, str) else message.id[0]


def _said(message: Message) -> list[str]:
    """Return the translation, in each of its forms; an empty text where there is none."""
    return list(message.string) if isinstance(message.string, (list, tuple)) else [message.string or ""]


def _po_bytes(catalog: Catalog) -> bytes:
    catalog.header_comment = '# Carnet. Translators: docs/adding.md, "A language". Then run `manage.py messages`.'
    catalog.project, catalog.version, catalog.fuzzy = "carnet", "", False
    buffer = io.BytesIO()
    write_po(buffer, catalog, no_location=True, sort_output=True, ignore_obsolete=True, width=120)
    return _HEADERS_LEFT_OUT.sub(b"", buffer.getvalue())


def _mo_bytes(catalog: Catalog) -> bytes:
    whole = Catalog(locale=catalog.locale, charset="utf-8", creation_date=_DAWN, revision_date=_DAWN)
    for message in catalog:
        # Babel would fill a plural that is not translated yet with the English words.
        if message.id and not message.fuzzy and all(_said(message)):
            whole.add(message.id, message.string, context=message.context)
    buffer = io.BytesIO()
    write_mo(buffer, whole)
    return buffer.getvalue()


def _write_if_new(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def _in_po(catalog: Catalog) -> dict[str, str]:
    """Return what the compiled form of `catalog` holds, in the words of `_in_mo`."""
    held: dict[str, str] = {}
    for message in catalog:
        said = _said(message)
        if not message.id or message.fuzzy or not all(said):
            continue
        key = f"{message.context}\x04{_first(message)}" if message.context else _first(message)
        if isinstance(message.id, str):
            held[key] = said[0]
        else:
            held.update({f"{key}\x00{number}": text for number, text in enumerate(said)})
    return held


def _in_mo(path: Path) -> dict[str, str]:
    """Return the texts of a compiled file; the forms of a plural each under its number."""
    with path.open("rb") as file:
        compiled: dict[str | tuple[str, int], str] = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key if isinstance(key, str) else f"{key[0]}\x00{key[1]}": text for key, text in compiled.items() if key}
