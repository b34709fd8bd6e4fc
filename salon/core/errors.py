"""The one domain error: operations raise it, views show it, nothing else catches it. And the words for what moved or went."""

from django.http import Http404


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


class Gone(Http404):
    """What a page works on is not there any more, or not for its reader: not found, and `words` for who sends something to it.

    `salon.core.web.allowed` says them, and leads whoever still has the page open to `home` (a URL name).
    """

    def __init__(self, pk: int, words: str, home: str) -> None:
        super().__init__(words)
        self.pk, self.words, self.home = pk, words, home


class Elsewhere(Exception):
    """What a page asks for is found under another id now. `salon.core.web.allowed` leads there."""

    def __init__(self, pk: int, home: int) -> None:
        super().__init__(f"{pk} is {home} now")
        self.pk = pk
        self.home = home
