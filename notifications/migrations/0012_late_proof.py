"""A message that its provider did not have, as it said, and has after all, may become what it is: accepted."""

import importlib

from django.db import migrations

_steps = importlib.import_module("notifications.migrations.0002_states_kept")
_lighter = importlib.import_module("notifications.migrations.0005_lighter_steps")


def make(apps, schema_editor):
    """Put the steps in force as they stand there now."""
    _lighter.lighten(apps, schema_editor)
    _lighter.keep(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("notifications", "0011_mailbox")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
