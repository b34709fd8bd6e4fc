"""Eyes for an open page: what is wrong with it in every width, in the light and in the dark."""

from typing import Any, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

WIDTHS, HEIGHT = (1440, 820, 390), 900
THEMES = ("light", "dark")
# Every rule that axe knows to be sure of, and the size of targets, which WCAG 2.2 asks for and axe leaves out by itself.
RULES = {"rules": {"target-size": {"enabled": True}}}
# The dark changes colours and nothing else (`test_shell` holds the style sheets to that): only these can come out otherwise.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
LOOK = """async options => {
  document.getAnimations().filter(one => one instanceof CSSTransition).forEach(one => one.finish());
  const found = (await axe.run({...options, resultTypes: ["violations"]})).violations
    .flatMap(rule => rule.nodes.map(node => [rule.id, node.html.slice(0, 160)]));
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return wide > 0 ? [...found, ["wide", `${wide} px wider than the screen`]] : found;
}"""


class Fault(NamedTuple):
    """Something wrong: in which look of which page, against which rule, and where or by how much."""

    path: str
    width: int
    theme: str
    rule: str
    what: str


class Eyes:
    """Looks at one page after the other in the same tab. Each is loaded once, and resized and recoloured where it stands."""

    def __init__(self, page: Page) -> None:
        """Take a tab whose reader left the choice of light or dark to the device."""
        self._page, self._widths, self._themes = page, WIDTHS, THEMES
        self._turn()

    def _turn(self) -> None:
        """Begin with the look that the last page was seen in: from the phone up on one page, and down on the next."""
        self._widths = self._widths[::-1]
        self._wear(self._widths[0], self._themes[0])

    def _wear(self, width: int, theme: Any) -> None:
        self._page.set_viewport_size({"width": width, "height": HEIGHT})
        self._page.emulate_media(color_scheme=theme)

    def look(self, path: str) -> list[Fault]:
        """Return what is wrong with the page that is open, named `path`. It waits for the parts that the page asks for."""
        expect(self._page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
        self._page.evaluate(AXE_SCRIPT)
        faults = []
        for width in self._widths:
            for theme in self._themes:
                self._wear(width, theme)
                found = self._page.evaluate(LOOK, RULES if theme == "light" else COLOURS)
                faults += [Fault(path, width, theme, *fault) for fault in found]
            self._themes = self._themes[::-1]
        self._turn()
        return faults


def told(faults: list[Fault]) -> str:
    """Return the faults for a reader: each once, with how often it was seen and where first."""
    seen: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        seen.setdefault((fault.rule, fault.what), []).append(fault)
    return "\n".join(
        f"{len(some)} x {rule}: {what}\n  {some[0].path} {some[0].width} {some[0].theme}" for (rule, what), some in seen.items()
    )
