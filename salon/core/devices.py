"""What a browser says of itself, in a few words that its owner knows again: "Firefox, Windows". Pure."""

import re

# The first that is found counts: every browser also claims to be others.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"), ("Opera", r"OPR/|Opera"), ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"), ("Safari", r"Safari/"),
)  # fmt: skip
_SYSTEMS = (
    ("iPad", r"iPad"), ("iPhone", r"iPhone"), ("Android", r"Android"), ("Windows", r"Windows"), ("Mac", r"Macintosh|Mac OS X"),
    ("ChromeOS", r"CrOS"), ("Linux", r"Linux|X11"),
)  # fmt: skip


def name(user_agent: str) -> str:
    """Return browser and system, as far as `user_agent` tells; an empty text where it tells neither."""
    found = (_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent))
    return ", ".join(word for word in found if word)


def _first(table: tuple[tuple[str, str], ...], text: str) -> str:
    return next((word for word, pattern in table if re.search(pattern, text)), "")
