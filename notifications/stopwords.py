"""What a client means who answers an SMS: STOP, START, perhaps a stop in other words, or something else.

Pure. The words that the provider knows by itself come in English; these are those of the house as well.
"""

import re
import unicodedata
from enum import StrEnum

# As a whole answer, in any spelling that `folded` makes equal. The list of the consent rules.
STOP = frozenset({
    "STOP", "STOPP", "STOPALL", "STOP ALL", "STOP SMS", "STOP PUB", "ARRET", "DESABONNER", "DESINSCRIRE", "UNSUBSCRIBE",
    "OPTOUT", "OPT OUT", "REVOKE", "REMOVE", "ABMELDEN", "ABBESTELLEN", "AFMELDEN", "BAJA", "DISISCRIVI", "CANCELLAMI",
    "END", "QUIT", "CANCEL",
})  # fmt: skip
# A mere YES answers something else: only the provider may take it for a START.
START = frozenset({"START", "UNSTOP"})
# Inside a sentence these may mean a stop, or an appointment that cannot be kept: somebody reads it.
_INSIDE = frozenset({
    "STOP", "STOPP", "STOPALL", "STOPPEN", "ARRET", "ARRETEZ", "ARRETER", "DESABONNER", "DESABONNEZ", "DESINSCRIRE",
    "DESINSCRIVEZ", "UNSUBSCRIBE", "OPTOUT", "REMOVE", "REVOKE", "ABMELDEN", "ABBESTELLEN", "ABMELDUNG", "AFMELDEN",
    "DISISCRIVI", "CANCELLAMI",
})  # fmt: skip
_NO_LETTER = re.compile(r"[^A-Z0-9]+")


class Meaning(StrEnum):
    """What an answer says."""

    STOP = "stop"
    START = "start"
    DOUBT = "doubt"
    OTHER = "other"


def meaning(text: str, opt_out_type: str = "") -> Meaning:
    """Return what an answer means. `opt_out_type` is what the provider took it for (STOP, START, HELP): that stands above.

    A word counts as the whole answer only: "please stop writing" is for a person to read.
    """
    known = {"STOP": Meaning.STOP, "START": Meaning.START}.get(opt_out_type.upper())
    if known is not None:
        return known
    said = folded(text)
    if said in STOP or said.replace(" ", "") in {"STOPALL", "OPTOUT"}:
        return Meaning.STOP
    if said in START:
        return Meaning.START
    words = set(said.split())
    return Meaning.DOUBT if words & _INSIDE or {"OPT", "OUT"} <= words else Meaning.OTHER


def folded(text: str) -> str:
    """Return a text in capitals without accents and signs, its words one space apart: "Arrêt !" is ARRET."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text.replace("ß", "ss")) if not unicodedata.combining(char))
    return _NO_LETTER.sub(" ", bare.upper()).strip()
