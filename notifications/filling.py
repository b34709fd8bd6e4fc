"""The closed list of placeholders, and the one way to fill them in. Pure.

Not Django's templates and not str.format: a text may be the salon's own and must not reach an object. A value that is
missing fails the message rather than greeting nobody. A placeholder is {first_name}; [with {salon_phone}|without] is a
choice by what is known.
"""

import functools
import re
from collections.abc import Mapping, Sequence

# What only a marketing text may say; a service text that tried would have no value for it.
OF_MARKETING = frozenset({
    "offer_title", "offer_text", "valid_until", "conditions", "kind_label", "consent_date", "unsubscribe_link",
    "last_visit_date", "visit_date", "review_link", "opt_out", "sender_code",
})  # fmt: skip
OF_VISIT = ("service", "staff", "date", "date_long", "time")
OF_SALON = ("salon", "legal_name", "address_line", "salon_phone", "salon_email")
PLACEHOLDERS = OF_MARKETING | {
    "first_name", *OF_SALON, *OF_VISIT, "preferences_link", "request_date", "request_time", "consent_text", "confirm_link",
}  # fmt: skip
# What the words of a promotion may ask for.
OWN = ("first_name", "salon")
# Not every card has it: there is another way to say it.
MAY_BE_MISSING = ("first_name",)

# {name}, or [words with {name}|words without it]. One pass: what a value holds is never read again.
NAME = re.compile(r"\{([^{}]{0,40})\}")
TOKEN = re.compile(r"\[([^\[\]|]{0,400})\|([^\[\]|]{0,400})\]|\{([^{}]{0,40})\}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029]+")
# A choice, which stays as it is; a first name that begins a line, with the comma behind it; any other, with the space before it.
_LOOSE = re.compile(r"\[[^\[\]|]{0,400}\|[^\[\]|]{0,400}\]|^(\{first_name\}(?:, ?)?)|( ?\{first_name\})", re.MULTILINE)
_BRACES = re.compile(r"\{[^{}]{0,40}\}|[{}]")


class TemplateError(Exception):
    """A text cannot be made: a placeholder nobody knows, a value that is missing, a language without a file."""


def fault(text: str) -> str:
    """Return the first thing in braces of the salon's own words that is no placeholder for them, or an empty text."""
    known = {f"{{{name}}}" for name in OWN}
    return next((found for found in _BRACES.findall(text) if found not in known), "")


def inserted(name: str) -> str:
    """Return what the button of a placeholder puts into a text, whoever writes it: not every card has a first name."""
    return f"[ {{{name}}}|]" if name in MAY_BE_MISSING else f"{{{name}}}"


def with_choices(text: str) -> str:
    """Return a text in which what not every card has is left out where it is missing, also where somebody wrote it plainly."""
    return _LOOSE.sub(lambda match: f"[{found}|]" if (found := match.group(1) or match.group(2)) else match.group(0), text)


def own(text: str, values: Mapping[str, str]) -> str:
    """Return the salon's own words for one client: {first_name} and {salon}, and nothing else, are filled in.

    Written as everywhere: [ {first_name}|] gives what stands before the line where there is a first name, else what stands
    behind it. Brackets without a placeholder are brackets. Lines stay lines. Raises TemplateError for any other brace, and
    for a value outside brackets that is missing.
    """
    if unknown := fault(text):
        raise TemplateError(f"no placeholder {unknown!r}")

    def value(match: re.Match[str]) -> str:
        if not (found := values.get(match.group(1))):
            raise TemplateError(f"no value for {match.group(1)}")
        return found

    def token(match: re.Match[str]) -> str:
        full, bare, name = match.groups()
        if name is not None:
            return NAME.sub(value, match.group(0))
        if not NAME.search(match.group(0)):
            return match.group(0)
        return NAME.sub(value, full if all(values.get(one) for one in NAME.findall(full)) else bare)

    return TOKEN.sub(token, clean(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with its placeholders replaced by `values`.

    [with {a name}|without] gives the first half where every value is there, else the second. Raises TemplateError
    for a placeholder outside the closed list, and for a value that is missing or empty outside brackets.
    """
    said = []
    for before, name, full, bare in _pieces(text):
        said.append(before)
        if full is not None and bare is not None:
            said += _named(full if all(values.get(one) for one in full[1::2]) else bare, values)
        elif name is not None:
            said.append(_value(name, values))
    return "".join(said)


# Words and names in turns, as `NAME.split` gives them.
_Half = tuple[str, ...]


@functools.lru_cache(maxsize=512)
def _pieces(text: str) -> Sequence[tuple[str, str | None, _Half | None, _Half | None]]:
    """Return what a text is made of, read once: words, and the placeholder or both halves of the choice behind them."""
    found, at = [], 0
    for match in TOKEN.finditer(text):
        full, bare, name = match.groups()
        if name is None and (unknown := set(NAME.findall(full)) - PLACEHOLDERS):
            raise TemplateError(f"no placeholder {sorted(unknown)}")
        halves = (None, None) if name is not None else (tuple(NAME.split(full)), tuple(NAME.split(bare)))
        found.append((text[at : match.start()], name, *halves))
        at = match.end()
    return [*found, (text[at:], None, None, None)]


def _named(half: _Half, values: Mapping[str, str]) -> list[str]:
    return [_value(part, values) if place % 2 else part for place, part in enumerate(half)]


def _value(name: str, values: Mapping[str, str]) -> str:
    if name not in PLACEHOLDERS:
        raise TemplateError(f"no placeholder {name!r}")
    if not (found := values.get(name)):
        raise TemplateError(f"no value for {name}")
    return found


def one_line(text: str) -> str:
    """Return a value as it stands in a text: on one line, nothing at its ends."""
    # What can be printed as it stands has no control character; few values cannot.
    return (text if text.isprintable() else CONTROL.sub(" ", text)).strip()


def clean(text: str) -> str:
    """Return a typed text without what nobody sees: no control characters, lines stay lines, nothing at its ends."""
    return _CONTROL_IN_TEXT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
