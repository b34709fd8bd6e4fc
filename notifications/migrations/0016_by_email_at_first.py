"""Advertising that leaves by itself goes by e-mail until the salon chooses SMS: it costs money, and nobody had chosen it.

These kinds had e-mail alone and no field on the page, so what stands in their rows is the default and no choice.
"""

from django.db import migrations

KINDS = ["birthday", "welcome", "rebook", "review"]


def keep_to_email(apps, schema_editor):
    apps.get_model("notifications", "Trigger").objects.filter(kind__in=KINDS, ways="email sms").update(ways="email")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0015_sms_tests")]
    operations = [migrations.RunPython(keep_to_email, migrations.RunPython.noop)]
