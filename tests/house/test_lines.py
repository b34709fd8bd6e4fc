"""A field of one line takes one line: a name ends up in the subject of a mail and in the lines of a list."""

from collections.abc import Callable, Iterator

import pytest
from django import forms
from django.core import mail
from django.test import Client as Browser

from appointments.forms import ServiceForm
from clients.models import Client
from salon.core.entrance import Plain
from salon.core.lines import Line, one_line
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories

OURS = ("salon", "clients", "appointments", "notifications")
BROKEN, WHOLE = "Anna\r\n\tMaria\0\u2028Berg\n", "Anna Maria Berg"


def forms_of(base: type) -> Iterator[type]:
    for form in base.__subclasses__():
        if form.__module__.split(".")[0] in OURS and not issubclass(form, Plain):
            yield form
        yield from forms_of(form)


def loose(form: type) -> list[str]:
    """Return the fields of `form` that would take a line break: those that are no area, no password, no address."""
    fields: dict[str, forms.Field] = form.base_fields  # type: ignore[attr-defined]
    return [
        name
        for name, field in fields.items()
        if type(field) is forms.CharField
        and not isinstance(field.widget, forms.Textarea | forms.PasswordInput | forms.HiddenInput)
    ]


def test_every_field_of_one_line_is_one() -> None:
    found = set(forms_of(forms.BaseForm))
    assert len(found) > 10
    assert {form.__name__: names for form in found if (names := loose(form))} == {}


def test_the_guard_sees_a_loose_field() -> None:
    class Loose(forms.Form):
        name = forms.CharField()

    assert loose(Loose) == ["name"]


def test_control_characters_become_one_space() -> None:
    assert one_line(BROKEN) == Line().clean(BROKEN) == WHOLE


def test_nothing_stays_nothing() -> None:
    assert Line(required=False).clean(None) == ""
    with pytest.raises(forms.ValidationError):
        Line().clean("\r\n")


def test_a_pasted_name_is_saved_as_one_line(signed_in: Callable[[Role], Browser]) -> None:
    browser, pasted = signed_in(Role.OWNER), "Anna\r\nBerg"
    browser.post("/clients/new/", {"first_name": pasted, "language": "fr"})
    browser.post("/settings/salon/", {"name": pasted, "country": "FR"})
    browser.post("/me/", {"name": pasted, "language": "en", "theme": "auto", "density": "compact"})
    assert Client.objects.get().first_name == Salon.objects.get().name == User.objects.get().name == "Anna Berg"


@pytest.mark.django_db
def test_a_service_has_a_name_of_one_line() -> None:
    form = ServiceForm({"name": "Coupe\ncourte", "category": "a\nb", "duration_minutes": "30", "price": "1", "position": "0"})
    assert form.is_valid(), form.errors
    assert (form.cleaned_data["name"], form.cleaned_data["category"]) == ("Coupe courte", "a b")


def test_an_invitation_leaves_even_from_a_salon_whose_stored_name_has_two_lines(signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(Role.OWNER)
    factories.salon(name="Salon\nBcc: x@evil.example")
    answer = browser.post("/settings/team/invite/", {"name": "Nora", "email": "nora@example.org", "role": "stylist"})
    assert answer.status_code == 303
    assert [message.subject.count("\n") for message in mail.outbox] == [0]
