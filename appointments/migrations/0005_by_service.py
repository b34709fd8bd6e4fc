"""The visits of a service by their start: the planner asks for those of some days. In place of the index by service alone.

The one by client alone goes too: it stood beside the longer one that begins with it, and was taken where that one is meant.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appointments", "0004_rebook_per_client")]

    operations = [
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(fields=["service", "start_at"], name="appointments_by_service"),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="service",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="appointments",
                to="appointments.service",
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="client",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="appointments",
                to="clients.client",
            ),
        ),
    ]
