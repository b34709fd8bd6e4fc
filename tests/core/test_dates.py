"""Days in words: each language its own way."""

import datetime as dt

import pytest
from django.utils import translation

from salon.core.templatetags import house


@pytest.mark.parametrize(
    ("language", "on", "day", "weekday", "long_day"),
    [
        ("en", dt.date(2026, 12, 1), "1 Dec 2026", "Tue 1 Dec", "Tuesday 1 December"),
        ("fr", dt.date(2026, 12, 1), "1er déc. 2026", "mar. 1er déc.", "Mardi 1er décembre"),
        ("fr", dt.date(2026, 1, 1), "1er janv. 2026", "jeu. 1er janv.", "Jeudi 1er janvier"),
        ("fr", dt.date(2026, 2, 2), "2 févr. 2026", "lun. 2 févr.", "Lundi 2 février"),
        ("fr", dt.date(2026, 7, 11), "11 juil. 2026", "sam. 11 juil.", "Samedi 11 juillet"),
        ("de", dt.date(2026, 12, 1), "1. Dez. 2026", "Di, 1. Dez.", "Dienstag, 1. Dezember"),
    ],
)
def test_a_day_is_written_as_its_language_writes_it(language: str, on: dt.date, day: str, weekday: str, long_day: str) -> None:
    with translation.override(language):
        assert (house.as_day(on), house.as_weekday(on), house.as_long_day(on)) == (day, weekday, long_day)
