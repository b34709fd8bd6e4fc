"""The frame of every page: its tokens, icons, toasts and errors keep what docs/look.md promises."""

import gzip
import re
from pathlib import Path

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from salon.core import web
from salon.core.templatetags import house

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")]
NAMED = re.compile(r'{% icon "([^"]+)"|icon_name="([^"]+)"')
# (text, ground): each pair of the design, by the name of its token
PAIRS = [
    ("ink", "bg"), ("ink", "surface"), ("ink", "surface-2"), ("ink-2", "bg"), ("ink-2", "surface"), ("ink-2", "surface-2"),
    ("primary", "surface"), ("primary", "bg"), ("primary-ink", "primary"), ("primary-ink", "primary-hover"),
    ("primary-soft-ink", "primary-soft"), ("ok", "ok-bg"), ("warn", "warn-bg"), ("no", "no-bg"), ("info", "info-bg"),
    ("danger", "surface"), ("danger", "bg"), ("danger-fill-ink", "danger-fill"), ("slate-ink", "slate"),
    ("toast-ink", "toast"), ("toast-act", "toast"),
    *((f"p{n}", f"p{n}-bg") for n in range(1, 9)), *(("ink", f"p{n}-bg") for n in range(1, 9)),
]  # fmt: skip


def icons_missing(text: str, sprite: str) -> set[str]:
    """Return the icons that `text` names and `sprite` lacks."""
    named = {first or second for first, second in NAMED.findall(text)}
    return {name for name in named if f'id="{name}"' not in sprite}


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (ROOT / "static/icons.svg").read_text()
    missing = {path.name: icons_missing(path.read_text(), sprite) for path in TEMPLATES}
    assert {name: icons for name, icons in missing.items() if icons} == {}


def test_the_search_for_missing_icons_finds_one() -> None:
    assert icons_missing('{% icon "no-such-thing" %}', '<symbol id="users">') == {"no-such-thing"}


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rgb" or "#rrggbb" as WCAG 2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def tokens(theme: str) -> dict[str, str]:
    """Return the colours of a theme: the light ones, with the dark ones over them where asked."""
    text = (ROOT / "static/css/tokens.css").read_text()
    found = dict(re.findall(r"--s-([\w-]+): (#[0-9a-f]{3,6})", text.split("@media screen", 1)[0]))
    if theme != "light":
        block = text.split(f':root[data-theme="{theme}"] {{', 1)[1].split("\n  }", 1)[0]
        found |= dict(re.findall(r"--s-([\w-]+): (#[0-9a-f]{3,6})", block))
    return found


def test_the_dark_that_a_device_asks_for_is_the_dark_that_a_user_chose() -> None:
    """The walk through all pages sees the first only."""
    assert tokens("dark") == tokens("auto") != tokens("light")


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_every_text_can_be_read_on_its_ground(theme: str) -> None:
    colours = tokens(theme)
    weak = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in PAIRS}
    assert {pair: value for pair, value in weak.items() if value < 4.5} == {}
    assert contrast(colours["control"], colours["surface"]) >= 3
    assert contrast(colours["focus"], colours["bg"]) >= 4.5


def test_the_measure_of_contrast_knows_black_grey_and_white() -> None:
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#fff") < 4.5


def test_our_own_script_stays_small() -> None:
    assert len(gzip.compress((ROOT / "static/app.js").read_bytes())) <= 10_000


def test_every_search_box_takes_no_more_than_is_read() -> None:
    boxes = [
        tag for path in ROOT.glob("templates/**/*.html") for tag in re.findall(r'<input[^>]*type="search"[^>]*', path.read_text())
    ]
    assert boxes
    assert [tag for tag in boxes if 'maxlength="200"' not in tag] == []


def test_no_style_sheet_needs_a_young_browser() -> None:
    for path in ROOT.glob("static/css/*.css"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        assert not re.search(r"light-dark\(|oklch\(|@layer|:has\(|&", text), path.name


def test_a_mail_address_folds_behind_its_at_and_stays_text() -> None:
    assert house.foldable("ann@example.org") == "ann@<wbr>example.org"
    assert house.foldable("<b>@x") == "&lt;b&gt;@<wbr>x"


def test_initials_are_two_capitals_at_most() -> None:
    assert [house.initials(name) for name in ("Amélie Bertrand", "Léa", "Jean de la Tour", "", "(test)")] == [
        "AB",
        "LÉ",
        "JT",
        "?",
        "?",
    ]


def test_a_pager_shows_the_ends_and_the_neighbours() -> None:
    pages = Paginator(range(1284), 50)
    assert house.page_numbers(pages.page(1)) == [1, 2, 0, 26]
    assert house.page_numbers(pages.page(5)) == [1, 0, 4, 5, 6, 0, 26]
    assert house.page_numbers(pages.page(3)) == [1, 2, 3, 4, 0, 26]
    assert house.page_numbers(pages.page(26)) == [1, 0, 25, 26]


def test_a_refusal_names_the_roles_that_may() -> None:
    assert house.who_may("edit_sending") == "Owner"
    assert house.who_may("edit_settings") == "Manager, Owner"
    assert house.who_may("anything else") == ""


def test_a_toast_rides_with_a_fragment_and_carries_its_undo(rf: RequestFactory) -> None:
    request = rf.get("/clients/", headers={"HX-Request": "true"})
    request.user = AnonymousUser()
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]
    web.toast(request, "Karim <b> is inactive.", undo_url="/clients/7/undo/", undo="the-token")
    html = web.page(request, "404.html", fragment="components/_avatar.html", context={"name": "Karim Benali"}).content.decode()
    assert 'hx-swap-oob="beforeend:#toasts"' in html
    assert "Karim &lt;b&gt; is inactive." in html
    assert 'action="/clients/7/undo/"' in html
    assert 'name="token" value="the-token"' in html


def test_the_summary_links_each_error_to_its_field() -> None:
    class Sheet(forms.Form):
        last_name = forms.CharField()

    html = render_to_string("components/_error_summary.html", {"form": Sheet({})})
    assert 'href="#id_last_name"' in html
    assert 'role="alert"' in html
    field = str(Sheet({})["last_name"].as_field_group())
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="id_last_name_error"' in field
