"""The texts of messages by kind, channel and language: the house's own, and the salon's where it wrote another one.

`rendering` reads them, the settings pages write them: the only writer of MessageText. A version that is in force is never
changed; a new one follows it, and what was sent names the version it was made of. The house's own is version 0.
"""

import datetime as dt
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from notifications import filling, kinds
from notifications.filling import TemplateError
from notifications.kinds import Class
from notifications.models import Message, Trigger
from notifications.plans import MessageText
from salon.core import audit, prepared
from salon.core.errors import Refused
from salon.core.models import Salon, User

FOLDER = Path(settings.BASE_DIR) / "templates" / "messages"
SUBJECT_LONGEST = 150
# An SMS of more than four parts is no reminder any more, and providers take no more than ten.
BODY_LONGEST: Mapping[str, int] = {"email": 4000, "sms": 600}
# The parts of a text by channel, the words themselves last.
_FILES = {"email": ("subject", "body"), "sms": ("sms",)}
_OF_KIND: Mapping[str, tuple[str, ...]] = {"rebook": ("last_visit_date",), "review": ("visit_date", "review_link")}
# Words by which an offer is known, in no grammar: a hint for whoever writes, no proof.
_OFFERS = {
    "en": r"offers?|discounts?|vouchers?|promo\w*|sale|special price|for free|% off|gift card",
    "fr": r"offres?|promo\w*|remises?|réductions?|soldes|bons? cadeaux?|gratuit\w*|\d+\s?%",
    "de": r"angebote?|rabatt\w*|gutschein\w*|aktion\w*|sonderpreis\w*|gratis|kostenlos\w*|\d+\s?%",
}


@dataclass(frozen=True)
class Text:
    """A subject, empty on channels without one, and the words. `version` 0 is the house's own."""

    subject: str
    body: str
    version: int = 0


@dataclass(frozen=True)
class Shelf:
    """What the texts of a batch are made of, fetched once: the salon's own in force, and where kinds lead."""

    own: Mapping[tuple[str, str, str], Text] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)

    def text(self, kind: str, channel: str, language: str) -> Text:
        """Return the text in force. Raises TemplateError where there is none in this language."""
        return self.own.get((kind, channel, language)) or house(kind, channel, language)


def shelf() -> Shelf:
    """Return the texts in force now."""
    newest, targets = prepared.run([_newest(), _targets()], {})
    versions = set(newest)
    rows = MessageText.objects.filter(is_reset=False) if versions else ()
    own = {
        (row.kind, row.channel, row.language): Text(row.subject, row.body, row.version)
        for row in rows
        if (row.kind, row.channel, row.language, row.version) in versions
    }
    return Shelf(own, dict(targets))


@prepared.kept
def _newest() -> prepared.Query:
    texts = MessageText.objects.order_by().values("kind", "channel", "language").annotate(newest=Max("version"))
    return prepared.Query(texts.values_list("kind", "channel", "language", "newest"))


@prepared.kept
def _targets() -> prepared.Query:
    return prepared.Query(Trigger.objects.exclude(target="").values_list("kind", "target"))


def on(message: Message) -> Shelf:
    """Return the texts that were fetched with the batch of a message, else those in force now."""
    found: Shelf | None = message.__dict__.get("loaded_shelf")
    return found if found is not None else shelf()


@functools.lru_cache(maxsize=256)
def house(kind: str, channel: str, language: str) -> Text:
    """Return the house's own text. Raises TemplateError where there is none."""
    *subject, body = (read(kind, language, part) for part in _FILES[channel])
    return Text(subject[0].strip() if subject else "", body)


@functools.lru_cache(maxsize=512)
def has(kind: str, language: str, channel: str = "email") -> bool:
    """Return whether the house has a text of this kind in a language."""
    return (FOLDER / kind / language / f"{_FILES[channel][-1]}.txt").is_file()


@functools.lru_cache(maxsize=256)
def button(kind: str, language: str) -> str:
    """Return the words on the button of a message's own link, "" for a kind that has none."""
    return read(kind, language, "button").strip() if (FOLDER / kind / language / "button.txt").is_file() else ""


@functools.lru_cache(maxsize=256)
def read(kind: str, language: str, part: str) -> str:
    """Return one file of the house's texts as it stands. Raises TemplateError if it is not there."""
    try:
        return (FOLDER / kind / language / f"{part}.txt").read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"no text {kind}/{language}/{part}") from error


# --- what the salon may write -------------------------------------------------------------------------------------


def places() -> list[tuple[str, str]]:
    """Return the kinds and channels whose text the salon may write: those that leave by themselves."""
    automatic = [kind for kind in kinds.TABLE.values() if not kind.is_by_hand]
    return [(kind.name, channel) for kind in automatic for channel in kind.channels if has(kind.name, "en", channel)]


def placeholders(kind: str) -> tuple[str, ...]:
    """Return what may stand in braces in a text of this kind. What engine and footer add is not among it."""
    is_about_a_start = kinds.TABLE[kind].kind_class is Class.SERVICE
    return ("first_name", *(filling.OF_VISIT if is_about_a_start else ()), *_OF_KIND.get(kind, ()), *filling.OF_SALON)


def needed(kind: str, channel: str) -> tuple[tuple[str, ...], ...]:
    """Return what a text must name, each as the placeholders of which one is enough."""
    if kinds.TABLE[kind].kind_class is Class.SERVICE:
        return (("date", "date_long"), ("time",))
    # Advertising says whose it is: a mail in its footer, an SMS has no other place for it.
    of_sender = (("legal_name", "salon"),) if channel == "sms" else ()
    return (*of_sender, ("review_link",)) if kind == "review" else of_sender


@transaction.atomic
def save(
    *,
    kind: str,
    channel: str,
    language: str,
    subject: str,
    body: str,
    by: User,
    now: dt.datetime,
    seen: int | None = None,
) -> MessageText | None:
    """Put the salon's own text in force and return it, None if it was so already.

    Raises Refused, with the field, for a text that cannot stand, and if `seen`, the version that was read before, is not
    in force any more.
    """
    salon = Salon.objects.select_for_update().get(pk=1)  # two who save at once get two versions
    subject, body = (filling.with_choices(one) for one in (" ".join(filling.clean(subject).split()), filling.clean(body)))
    check(kind, channel, subject, body, salon)
    before = shelf().text(kind, channel, language)
    if (before.subject, before.body.strip()) == (subject, body):
        return None
    if seen is not None and seen != before.version:
        words = _("Somebody changed this text meanwhile. Theirs is the first under Versions; save again to put yours in force.")
        raise Refused(words, "body")
    return _write(kind, channel, language, subject=subject, body=body, by=by, now=now)


@transaction.atomic
def reset(*, kind: str, channel: str, language: str, by: User, now: dt.datetime) -> MessageText | None:
    """Put the house's own text in force again, None if it is already."""
    Salon.objects.select_for_update().get(pk=1)
    if not shelf().text(kind, channel, language).version:
        return None
    return _write(kind, channel, language, is_reset=True, by=by, now=now)


def _write(kind: str, channel: str, language: str, *, by: User, now: dt.datetime, **words: object) -> MessageText:
    version = 1 + max((row.version for row in history(kind, channel, language)), default=0)
    row = MessageText.objects.create(
        kind=kind, channel=channel, language=language, version=version, created_by=by, created_at=now, **words
    )
    act = "text.reset" if row.is_reset else "text.saved"
    audit.record(act, row, by=by, kind=kind, channel=channel, language=language, number=version)
    return row


def history(kind: str, channel: str, language: str) -> Sequence[MessageText]:
    """Return the salon's versions of a text, the newest first."""
    rows = MessageText.objects.filter(kind=kind, channel=channel, language=language)
    return list(rows.select_related("created_by").order_by("-version"))


def check(kind: str, channel: str, subject: str, body: str, salon: Salon) -> None:
    """Raise Refused, with the field, for a text that is empty, too long, or says what it cannot."""
    fields = {"body": (body, BODY_LONGEST[channel])}
    if len(_FILES[channel]) > 1:
        fields = {"subject": (subject, SUBJECT_LONGEST), **fields}
    for name, (text, longest) in fields.items():
        if not text:
            empty = _("Without a subject no mail leaves.") if name == "subject" else _("Without words nothing leaves.")
            raise Refused(empty, name)
        if len(text) > longest:
            raise Refused(_("Write at most %(most)s characters.") % {"most": longest}, name)
        _check_braces(kind, text, name, salon)
    for names in needed(kind, channel):
        if not set(names) & set(filling.NAME.findall(body)):
            raise Refused(_("%(name)s has to stand in it.") % {"name": f"{{{names[-1]}}}"}, "body")


def _check_braces(kind: str, text: str, name: str, salon: Salon) -> None:
    allowed = placeholders(kind)
    found = filling.NAME.findall(text)
    if unknown := next((f"{{{one}}}" for one in found if one not in allowed), ""):
        raise Refused(_("%(found)s stands for nothing in this message.") % {"found": unknown}, name)
    outside = filling.TOKEN.sub(lambda match: match.group(0) if match.group(3) else "", text)
    # A half of a choice is said as it stands: a brace in it would be said too.
    said = filling.TOKEN.sub(lambda match: match.group(0) if match.group(3) else f"{match.group(1)} {match.group(2)}", text)
    bare = filling.NAME.sub("", said)
    if stray := re.search(r"[\[\]|{}]", bare):
        words = _("A single %(found)s cannot stand in a text: it belongs to a placeholder.")
        raise Refused(words % {"found": stray.group(0)}, name)
    for one in filling.NAME.findall(outside):
        if one in filling.OF_SALON and not getattr(salon, _FIELDS[one]):
            words = _("%(found)s is empty: it is not entered under Settings, Salon.")
            raise Refused(words % {"found": f"{{{one}}}"}, name)


_FIELDS = {
    "salon": "name", "legal_name": "legal_name", "address_line": "address_line", "salon_phone": "phone", "salon_email": "email",
}  # fmt: skip


def offers_in(kind: str, text: str, language: str) -> list[str]:
    """Return the words of a text about a visit that read like an offer or lead elsewhere: it may not advertise."""
    if kinds.TABLE[kind].kind_class is not Class.SERVICE:
        return []
    words = filling.NAME.sub(" ", text)
    found = re.findall(rf"\b(?:{_OFFERS.get(language, _OFFERS['en'])})|https?://\S+", words, re.IGNORECASE)
    return list(dict.fromkeys(found))
