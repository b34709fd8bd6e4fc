"""What every table promises: each field is classified for erasure, each model has its migration."""

from typing import ClassVar

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import models

from salon.core import privacy


class Unclassified(models.Model):
    """Somebody forgot to say what becomes of `nickname`."""

    nickname = models.CharField(max_length=10)

    class Meta:
        app_label = "house_tests"
        managed = False

    class Privacy:
        """Only half done."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "gone"}


class Silent(models.Model):
    """Somebody forgot Privacy altogether."""

    class Meta:
        app_label = "house_tests"
        managed = False


def test_every_field_of_every_model_is_classified() -> None:
    assert [fault.message for fault in privacy.faults()] == []


def test_a_field_that_nobody_classified_is_found_with_the_line_to_paste() -> None:
    faults = list(privacy.faults([Unclassified, Silent]))
    assert any("nickname" in fault.hint for fault in faults)
    assert any("gone" in fault.message for fault in faults)
    assert any("no Privacy" in fault.message for fault in faults)


def test_the_subject_of_every_model_is_a_path_to_the_client() -> None:
    for model in privacy.our_models():
        path = model.Privacy.subject  # type: ignore[attr-defined]
        if path not in (None, "self"):
            model._default_manager.filter(**{f"{path}__isnull": True}).query  # noqa: B018 (raises for a wrong path)


def test_the_system_checks_are_content() -> None:
    assert run_checks() == []


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
