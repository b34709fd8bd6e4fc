"""The salon's switches for the first kinds: on from the start, the reminder at ten on the day before."""

from django.db import migrations

KINDS = ["confirmation", "change", "cancellation", "reminder"]


def switch_on(apps, schema_editor):
    trigger = apps.get_model("notifications", "Trigger")
    for kind in KINDS:
        trigger.objects.get_or_create(kind=kind, defaults={"is_on": True})


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_states_kept")]
    operations = [migrations.RunPython(switch_on, migrations.RunPython.noop)]
