"""The one domain error. Operations raise it, views show it, nothing else catches it."""


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
