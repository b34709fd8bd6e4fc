"""Who is new is asked at every tick of the planner: found by an index, not by a look at every card."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clients", "0023_existing_clients")]

    operations = [
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["created_at"], name="clients_client_new"),
        ),
    ]
