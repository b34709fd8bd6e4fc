"""The privacy form of a client, ready to print: the words to agree to with empty boxes, in the client's own language.

Reads only. What comes back signed is entered by `clients.grid.enter_sheet`; its events point at the same wordings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from clients import choices, fold, grid, wording
from clients.models import ConsentText
from salon.core.models import Salon

# Whom to complain to, where it is one authority for the whole country. Names, so they are not translated.
AUTHORITIES = {"FR": "CNIL", "GB": "ICO", "BE": "APD/GBA", "AT": "DSB", "CH": "EDÖB/PFPDT", "LU": "CNPD", "IE": "DPC"}


@dataclass(frozen=True)
class Question:
    """One row of the form: what is asked, in the words in force, and whether it has a box for each channel."""

    purpose: str
    title: str | Promise
    words: str
    has_channels: bool


@dataclass(frozen=True)
class Form:
    """What the form says: its questions, the versions of their words, and whom to complain to."""

    questions: Sequence[Question]
    versions: str
    authority: str


def of(salon: Salon, language: str) -> Form:
    """Return the form in a language, which is active."""
    texts = wording.in_force(language)
    kinds = [_question(purpose, texts, salon) for purpose in choices.KINDS]
    profiling = texts.get((grid.PROFILING, ""))
    words = wording.shown(profiling, salon) if profiling else ""
    questions = [*kinds, Question(grid.PROFILING, grid.TITLES[grid.PROFILING][0], words, False)]
    versions = sorted({text.version for pair in grid.pairs() if (text := texts.get(pair))})
    return Form(questions, ", ".join(versions), AUTHORITIES.get(salon.country, ""))


def _question(purpose: str, texts: Mapping[tuple[str, str], ConsentText], salon: Salon) -> Question:
    """Return the row of one kind of marketing. Words that differ by channel only in its name stand once."""
    found = [text for channel in fold.CHANNELS if (text := texts.get((purpose, channel)))]
    by_either = _("e-mail or SMS (as I tick here)")
    bodies = dict.fromkeys(text.body.replace("{salon}", salon.name) for text in found)
    words = " ".join(body.replace("{channel}", by_either) for body in bodies)
    return Question(purpose, grid.TITLES[purpose][0], words, True)
