"""The one domain error. Operations raise it, views show it, nothing else catches it. And the word that a row has moved."""


class Refused(Exception):
    """An operation will not do what was asked, and says why in a sentence for the person who asked.

    `field` names the form field the reason belongs to, or is None for the whole form.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class Elsewhere(Exception):
    """What a page asks for is found under another id now. `salon.core.web.allowed` leads there."""

    def __init__(self, pk: int, home: int) -> None:
        super().__init__(f"{pk} is {home} now")
        self.pk = pk
        self.home = home
