"""The names that columns have, in English, French and German and as Google and Outlook export them. Standard library alone."""

import re
import unicodedata
from collections.abc import Iterable

EMAIL, SMS = "email", "sms"

# Field -> language -> names as `fold` leaves them.
_FIELDS: dict[str, dict[str, str]] = {
    "first_name": {
        "en": "first name|firstname|given name|forename",
        "fr": "prenom|prenoms",
        "de": "vorname|vornamen|rufname",
    },
    "middle_name": {"en": "middle name|additional name", "fr": "deuxieme prenom", "de": "zweiter vorname|weitere vornamen"},
    "last_name": {
        "en": "last name|lastname|family name|surname",
        "fr": "nom de famille|nom usuel",
        "de": "nachname|familienname|zuname",
    },
    # The last name where the file has a first name beside it, else the whole name.
    "name": {
        "en": "name|full name|whole name|client|client name|customer|customer name|contact|display name|contact name",
        "fr": "nom|nom complet|nom et prenom|nom prenom|prenom nom|prenom et nom|nom du client|client e|cliente",
        "de": "kunde|kundin|kundenname|vollstandiger name|name vorname|vorname nachname|nachname vorname|anzeigename",
    },
    "email": {
        "en": "email|e mail|email address|e mail address|mail|email 1|e mail 1|client email",
        "fr": "courriel|adresse email|adresse e mail|adresse mail|mel|adresse electronique|adresse courriel",
        "de": "e mail adresse|email adresse|mailadresse|emailadresse|kunden e mail",
    },
    "mobile": {
        "en": "mobile|mobile phone|mobile number|cell|cell phone|cellphone|cell number|mobile no",
        "fr": "portable|telephone portable|mobile client|tel portable|telephone mobile|gsm|tel mobile|numero de portable|tel mob",
        "de": "handy|mobil|mobiltelefon|handynummer|mobilnummer|mobilfunk|natel|telefon mobil|mobil nr|handy nr",
    },
    "phone": {
        "en": "phone|phone number|telephone|tel|primary phone|phone 1|contact number",
        "fr": "telephone 1|numero de telephone|no de telephone|numero|tel 1",
        "de": "telefon|telefonnummer|telefon 1|rufnummer|tel nr",
    },
    "home_phone": {
        "en": "home phone|home phone 2|business phone|business phone 2|other phone|landline|phone 2|work phone",
        "fr": "telephone fixe|fixe|tel fixe|telephone domicile|telephone 2|telephone bureau|telephone prive",
        "de": "festnetz|festnetznummer|telefon privat|telefon privat 2|telefon 2|telefon geschaftlich",
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
        "en": "street|address|street address|address line 1|home street|home address street",
        "fr": "adresse|rue|rue domicile|adresse postale|voie",
        "de": "strasse|str|strasse privat|anschrift|strasse und hausnummer|strasse hausnummer|strasse nr",
    },
    "postcode": {
        "en": "postcode|post code|zip|zip code|postal code|home postal code|home address postal code",
        "fr": "code postal|cp|npa|code postal domicile|code postal privat",
        "de": "plz|postleitzahl|postleitzahl privat",
    },
    "city": {
        "en": "city|town|home city|home address city",
        "fr": "ville|commune|localite|ville domicile",
        "de": "ort|stadt|wohnort|ort privat",
    },
    "country": {
        "en": "country|home country region|home country",
        "fr": "pays|pays domicile|pays region domicile",
        "de": "land|land region privat|land privat",
    },
    "note": {
        "en": "note|notes|client note|comment|comments|remarks|remark",
        "fr": "remarque|remarques|commentaire|commentaires|observations|note du client|notes client",
        "de": "notiz|notizen|kundennotiz|bemerkung|bemerkungen|kommentar|anmerkung|anmerkungen",
    },
    "language": {"en": "language|preferred language", "fr": "langue", "de": "sprache"},
}
_TABLE = {
    name: (field, language)
    for field, languages in _FIELDS.items()
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


def field_of(title: str) -> tuple[str, int, str] | None:
    """Return (field, rank, language) of a column's name, None for one that is not known or is about consent."""
    name = fold(title)
    if name in _TABLE:
        field, language = _TABLE[name]
        return (field, 0, language)
    matches = ((pattern.fullmatch(name), field) for pattern, field in _GOOGLE)
    return next(((field, int(match.group(1)), "") for match, field in matches if match), None)


def answer_of(title: str) -> tuple[tuple[str, ...], bool] | None:
    """Return (channels, is a yes a no?) of a column like "Newsletter", "SMS opt-in" or "Unsubscribed", None for another."""
    name = fold(title)
    parts = set(name.replace("opt in", "optin").replace("opt out", "optout").split())
    reach = _EMAIL_WORDS | _SMS_WORDS | _CONTACT_WORDS
    is_negated = name.startswith(_NEGATIONS) and bool(parts & (reach | _YES_WORDS))
    is_inverted = is_negated or bool(parts & _NO_WORDS)
    is_about_consent = is_inverted or bool(parts & _YES_WORDS) or name == "sms"
    if not is_about_consent or not parts <= _YES_WORDS | _NO_WORDS | reach | _FILLERS:
        return None
    channels = tuple(channel for channel, some in ((EMAIL, _EMAIL_WORDS), (SMS, _SMS_WORDS)) if parts & some)
    return (channels or (EMAIL, SMS), is_inverted)


def known_count(titles: Iterable[str]) -> int:
    """Return how many of these are names of columns: by which a header is told from other rows."""
    return sum(field_of(title) is not None or answer_of(title) is not None for title in titles)
