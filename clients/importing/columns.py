"""The header of a list -> which column holds what, in English, French and German and as Google and Outlook export it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from salon.core.errors import Refused

EMAIL, SMS = "email", "sms"


@dataclass(frozen=True)
class Column:
    """What a column holds. `rank` orders several of one field; `language` is that of its name ("" when it has none)."""

    index: int
    title: str
    field: str
    rank: int = 0
    channels: tuple[str, ...] = ()
    # A column like "Unsubscribed": a yes in it is a no.
    is_inverted: bool = False
    language: str = ""


# Field -> language -> names as `fold` leaves them.
_NAMES: dict[str, dict[str, str]] = {
    "first_name": {
        "en": "first name|firstname|given name|forename",
        "fr": "prenom|prenoms",
        "de": "vorname|vornamen|rufname",
    },
    "middle_name": {"en": "middle name|additional name", "fr": "deuxieme prenom", "de": "zweiter vorname"},
    "last_name": {
        "en": "last name|lastname|family name|surname",
        "fr": "nom de famille|nom usuel",
        "de": "nachname|familienname|zuname",
    },
    # The last name where the file has a first name beside it, else the whole name.
    "name": {
        "en": "name|full name|client|client name|customer|customer name|contact|display name|contact name",
        "fr": "nom|nom complet|nom et prenom|nom prenom|prenom nom|prenom et nom|nom du client|client e|cliente",
        "de": "kunde|kundin|kundenname|vollstandiger name|name vorname|vorname nachname|nachname vorname|anzeigename",
    },
    "email": {
        "en": "email|e mail|email address|e mail address|mail|email 1|e mail 1",
        "fr": "courriel|adresse email|adresse e mail|adresse mail|mel|adresse electronique|adresse courriel",
        "de": "e mail adresse|email adresse|mailadresse|emailadresse",
    },
    "mobile": {
        "en": "mobile|mobile phone|mobile number|cell|cell phone|cellphone|cell number",
        "fr": "portable|telephone portable|mobile client|tel portable|telephone mobile|gsm|tel mobile|numero de portable",
        "de": "handy|mobil|mobiltelefon|handynummer|mobilnummer|mobilfunk|natel|telefon mobil",
    },
    "phone": {
        "en": "phone|phone number|telephone|tel|primary phone|phone 1|contact number",
        "fr": "telephone 1|numero de telephone|no de telephone|numero|tel 1",
        "de": "telefon|telefonnummer|telefon 1|rufnummer|tel nr",
    },
    "home_phone": {
        "en": "home phone|business phone|other phone|landline|phone 2|work phone",
        "fr": "telephone fixe|fixe|tel fixe|telephone domicile|telephone 2|telephone bureau",
        "de": "festnetz|telefon privat|telefon 2|telefon geschaftlich",
    },
    "birthday": {
        "en": "birthday|birth date|birthdate|date of birth|dob",
        "fr": "date de naissance|anniversaire|naissance|ne le|nee le|ne e le",
        "de": "geburtstag|geburtsdatum|geb datum|geboren|geboren am|geb am",
    },
    "birth_day": {"en": "birth day|day of birth", "fr": "jour de naissance", "de": "geburtstag tag"},
    "birth_month": {"en": "birth month|month of birth", "fr": "mois de naissance", "de": "geburtsmonat"},
    "birth_year": {"en": "birth year|year of birth", "fr": "annee de naissance", "de": "geburtsjahr|jahrgang"},
    "street": {
        "en": "street|address|street address|address line 1|home street",
        "fr": "adresse|rue|adresse postale|voie",
        "de": "strasse|str|anschrift|strasse und hausnummer|strasse hausnummer|strasse nr",
    },
    "postcode": {
        "en": "postcode|post code|zip|zip code|postal code|home postal code",
        "fr": "code postal|cp|npa",
        "de": "plz|postleitzahl",
    },
    "city": {"en": "city|town|home city", "fr": "ville|commune|localite", "de": "ort|stadt|wohnort"},
    "country": {"en": "country|home country region|home country", "fr": "pays", "de": "land"},
    "note": {
        "en": "note|notes|comment|comments|remarks|remark",
        "fr": "remarque|remarques|commentaire|commentaires|observations|notes client",
        "de": "notiz|notizen|bemerkung|bemerkungen|kommentar|anmerkung|anmerkungen",
    },
    "language": {"en": "language|preferred language", "fr": "langue", "de": "sprache"},
}
_TABLE = {
    name: (field, language)
    for field, languages in _NAMES.items()
    for language, names in languages.items()
    for name in names.split("|")
}
_GOOGLE = (
    (re.compile(r"e mail (\d+) value"), "email"),
    (re.compile(r"phone (\d+) value"), "phone"),
    (re.compile(r"phone (\d+) (?:label|type)"), "phone_label"),
    (re.compile(r"address (1) street"), "street"),
    (re.compile(r"address (1) city"), "city"),
    (re.compile(r"address (1) postal code"), "postcode"),
    (re.compile(r"address (1) country"), "country"),
)


def words(text: str) -> frozenset[str]:
    """Return the words of a table that is written as one text."""
    return frozenset(text.split())


# A column about consent holds a word of the first or the second set, and no word outside all of these.
_YES_WORDS = words(
    "newsletter newsletters infolettre marketing optin consent consents consentement einwilligung werbung "
    "werbeeinwilligung publicite promotions promotion promo promos offers offres angebote subscribed subscriber abonne "
    "abonnee inscrit inscrite angemeldet accepte acceptes acceptee accepts agreed einverstanden zustimmung erlaubnis "
    "erlaubt accord emailing mailing mailings"
)
_NO_WORDS = words(
    "unsubscribed unsubscribe optout desinscrit desinscrite desinscription desabonne desabonnee abgemeldet abbestellt "
    "widerspruch widerrufen refus refuse stop blocked opposition"
)
_NEGATIONS = ("do not ", "no ", "keine ", "kein ", "nicht ", "ne pas ", "sans ")
_CONTACT_WORDS = words("contact contacter kontaktieren kontakt")
_EMAIL_WORDS = words("email emails e mail mails courriel courriels newsletter newsletters infolettre emailing mailing mailings")
_SMS_WORDS = words("sms text texts texto textos")
_FILLERS = words(
    "by per par via for pour fur the les le la des de du d l to a an von zu zum do not no keine kein nicht ne pas sans "
    "status statut ok yes oui ja received recevoir receive recoit wants souhaite mochte erhalten erhalt client kunde"
)


def fold(text: str) -> str:
    """Return a column's name without case, accents and signs: "E-mail 1 - Value" -> "e mail 1 value"."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text.replace("ß", "ss")) if not unicodedata.combining(char))
    return " ".join(re.findall(r"[a-z0-9]+", plain.casefold()))


def recognise(header: Sequence[str]) -> list[Column]:
    """Return the columns whose names are known, in the order of the file. The others are left alone."""
    found = [column for index, title in enumerate(header) if (column := _column(index, title)) is not None]
    fields = {column.field for column in found}
    if "first_name" in fields and "last_name" not in fields:
        return [
            Column(column.index, column.title, "last_name", language=column.language) if _is_plain_name(column) else column
            for column in found
        ]
    return found


def _is_plain_name(column: Column) -> bool:
    return column.field == "name" and fold(column.title) in {"name", "nom"}


def _column(index: int, title: str) -> Column | None:
    name = fold(title)
    if name in _TABLE:
        field, language = _TABLE[name]
        return Column(index, title, field, language=language)
    for pattern, field in _GOOGLE:
        if match := pattern.fullmatch(name):
            return Column(index, title, field, rank=int(match.group(1)))
    return _consent_column(index, title, name)


def _consent_column(index: int, title: str, name: str) -> Column | None:
    """Return a column like "Newsletter", "SMS opt-in" or "Unsubscribed", or None when it is about something else."""
    parts = set(name.replace("opt in", "optin").replace("opt out", "optout").split())
    reach = _EMAIL_WORDS | _SMS_WORDS | _CONTACT_WORDS
    is_negated = name.startswith(_NEGATIONS) and bool(parts & (reach | _YES_WORDS))
    is_inverted = is_negated or bool(parts & _NO_WORDS)
    is_about_consent = is_inverted or bool(parts & _YES_WORDS) or name == "sms"
    if not is_about_consent or not parts <= _YES_WORDS | _NO_WORDS | reach | _FILLERS:
        return None
    channels = tuple(channel for channel, some in ((EMAIL, _EMAIL_WORDS), (SMS, _SMS_WORDS)) if parts & some)
    return Column(index, title, "consent", channels=channels or (EMAIL, SMS), is_inverted=is_inverted)


def check(found: Sequence[Column]) -> None:
    """Raise Refused unless the header names something that makes a card: a name or a phone number."""
    if not {column.field for column in found} & {"first_name", "last_name", "name", "phone", "mobile", "home_phone"}:
        raise Refused(
            _("No column with names or phone numbers was recognised. Name them in the first row, like Name, Phone, E-mail.")
        )
