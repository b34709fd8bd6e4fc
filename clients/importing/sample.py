"""The file to begin with: a list with the columns that are recognised, in the reader's language, and one line of example."""

import csv
import io

# Language -> separator its spreadsheets write, names of the columns, an example.
_LISTS = {
    "en": (
        ",",
        "First name|Last name|E-mail|Mobile|Birthday|Street|Postcode|City|Country|Note|Newsletter|SMS opt-in",
        "Amelia|Bertrand|amelia@example.org|06 12 34 56 78|1990-04-12|3 rue Haute|69001|Lyon|France|Likes tea|yes|no",
    ),
    "fr": (
        ";",
        "Prénom|Nom de famille|E-mail|Portable|Date de naissance|Adresse|Code postal|Ville|Pays|Remarque|Newsletter|SMS",
        "Amélie|Bertrand|amelie@example.org|06 12 34 56 78|12.04.1990|3 rue Haute|69001|Lyon|France|Aime le thé|oui|non",
    ),
    "de": (
        ";",
        "Vorname|Nachname|E-Mail|Handy|Geburtsdatum|Straße|PLZ|Ort|Land|Notiz|Newsletter|SMS",
        "Amelie|Berger|amelie@example.org|0171 3004127|12.04.1990|Hauptstraße 3|10115|Berlin|Deutschland|Trinkt Tee|ja|nein",
    ),
}


def template(language: str) -> bytes:
    """Return the file as a spreadsheet of that language opens it."""
    separator, header, example = _LISTS.get(language, _LISTS["en"])
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator)
    writer.writerows([header.split("|"), example.split("|")])
    return out.getvalue().encode("utf-8-sig")
