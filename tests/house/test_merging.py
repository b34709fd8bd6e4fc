"""Every table that points at a client says what a merge does where two of its rows cannot both stand."""

from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.db import models
from django.db.models.functions import Greatest, Least

from clients.merging import pointers
from clients.merging.pointers import Pointer
from clients.models import Client
from salon.core import privacy
from salon.core.clashes import Clash


def pointer(model: type[models.Model], name: str = "client") -> Pointer:
    field: Any = model._meta.get_field(name)
    return Pointer(model, field)


class Tabled(models.Model):
    """What the models below have in common: an app of their own, and no table."""

    class Meta:
        abstract = True
        app_label = "house_tests"
        managed = False


class Speechless(Tabled):
    """One row a client, and not a word about merges."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="+")

    class Meta(Tabled.Meta):
        pass


class Paired(Tabled):
    """A constraint made of expressions, answered as if it were one of fields."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    other = models.IntegerField()

    class Meta(Tabled.Meta):
        constraints = [models.UniqueConstraint(Least("client", "other"), Greatest("client", "other"), name="house_paired")]

    class Merging:
        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.MAIN}


class Orphaned(Tabled):
    """BY_HAND, and no hand."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    code = models.IntegerField()

    class Meta(Tabled.Meta):
        constraints = [models.UniqueConstraint(fields=["client", "code"], name="house_orphaned")]

    class Merging:
        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.BY_HAND}


class Free(Tabled):
    """Nothing unique: rows simply go along."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")

    class Meta(Tabled.Meta):
        pass


@pytest.fixture(autouse=True)
def _only_ours() -> Any:
    """Keep the tables of this file out of the real walk."""
    yield
    apps.clear_cache()


def ours() -> list[Pointer]:
    return [found for found in pointers.every() if found.model._meta.app_label != "house_tests"]


def test_every_clash_has_an_answer() -> None:
    assert list(pointers.faults(ours())) == []


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Speechless, "Paste: class Merging"),
        (Paired, "cannot read a constraint of expressions"),
        (Orphaned, "no function is registered"),
    ],
)
def test_a_table_without_a_right_answer_is_found_with_the_line_to_paste(model: type[models.Model], words: str) -> None:
    [fault] = pointers.faults([pointer(model)])
    assert words in fault
    assert list(pointers.faults([pointer(Free)])) == []


def test_the_walk_finds_every_key_to_a_client_hidden_ones_and_tables_of_many_to_many_fields_too() -> None:
    """Looked for the other way round: from every table to the client."""
    wanted = set()
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model is Client:
                wanted.add(f"{model._meta.label_lower}.{field.name}")
    assert {found.label for found in pointers.every()} == wanted
    assert {"clients.client_tags.client", "clients.client.merged_into", "clients.openedcard.client"} <= wanted


def test_a_declared_answer_names_a_key_of_its_model() -> None:
    for model in privacy.our_models():
        for name in pointers.declared(model):
            assert name in {field.name for field in model._meta.get_fields()}, model
