"""Somebody at the desk: a signed-in browser that counts what hand and eye have to do, and how long that takes.

A press is a trusted `pointerdown`, a key a trusted `keydown`, both as the page itself sees them. Seconds are those of the
keystroke-level model (Card, Moran, Newell): a press 1.3, a key 0.28, a hand that changes 0.4, a thought before each press
1.35, an answer of the server 0.3.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.test import Client as Browser
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Locator, Page

from salon.core.models import User

PRESS, KEY, HAND, THOUGHT, ANSWER = 1.3, 0.28, 0.4, 1.35, 0.3
WATCH = """
for (const name of ["pointerdown", "keydown"])
  addEventListener(name, event => { if (event.isTrusted) window.noticed(name); }, true);
"""


@dataclass
class Hands:
    """What the hands did since `begin`. `noticed` is what the pages saw of it."""

    page: Page
    presses: int = 0
    keys: int = 0
    changes: int = 0
    answers: int = 0
    thoughts: int = 0
    noticed: list[str] = field(default_factory=list)
    _last: str = "mouse"

    def press(self, what: Locator, *, answers: int = 1) -> None:
        """Press something with the mouse. `answers`: how many of the server one waits for then."""
        self._with("mouse")
        what.click()
        self.presses += 1
        self.thoughts += 1
        self.answers += answers

    def type(self, text: str, *, answers: int = 0) -> None:
        """Type a text."""
        self._with("keys")
        self.page.keyboard.type(text)
        self.keys += len(text)
        self.answers += answers

    def key(self, name: str, times: int = 1, *, answers: int = 0) -> None:
        """Press a key, once or in a row; a row is one thought."""
        self._with("keys")
        for _time in range(times):
            self.page.keyboard.press(name)
        self.keys += times
        self.thoughts += 1
        self.answers += answers

    def tab_to(self, what: Locator, *, most: int = 60) -> None:
        """Go forward with Tab until `what` has the focus. Raises AssertionError if it never does."""
        self._with("keys")
        self.thoughts += 1
        for _time in range(most):
            self.page.keyboard.press("Tab")
            self.keys += 1
            if what.evaluate("el => el === document.activeElement"):
                return
        raise AssertionError(f"{most} times Tab do not reach {what}")

    def notice(self, name: str) -> None:
        """Take down an event that a page saw."""
        self.noticed.append(name)

    @property
    def seconds(self) -> float:
        """Return how long this takes somebody who knows the way."""
        hand_and_eye = PRESS * self.presses + KEY * self.keys + HAND * self.changes + THOUGHT * self.thoughts
        return round(hand_and_eye + ANSWER * self.answers, 1)

    def seen(self, name: str) -> int:
        """Return how many events of this kind the pages saw."""
        return self.noticed.count(name)

    def _with(self, device: str) -> None:
        self.changes += device != self._last
        self._last = device


@contextmanager
def sat_down(chromium: Chromium, url: str, user: User, **look: Any) -> Iterator[Hands]:
    """Give the hands of a user who is signed in and has the calendar open. Faults of the page's scripts fail the test."""
    key = Browser()
    key.force_login(user)
    context = chromium.new_context(base_url=url, locale="en", accept_downloads=True, **look)
    context.add_cookies([{"name": "sessionid", "value": key.cookies["sessionid"].value, "url": url}])
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    hands = Hands(page)
    page.expose_function("noticed", hands.notice)
    page.add_init_script(WATCH)
    page.goto("/")
    page.wait_for_load_state("networkidle")
    yield hands
    context.close()
    assert faults == []
