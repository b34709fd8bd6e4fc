"""A campaign to many: whom it is still to be written down for, how many were meant, and whether they were found by habit."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0008_webhooks")]
    operations = [
        migrations.AddField("campaign", "todo", models.JSONField(blank=True, default=list)),
        migrations.AddField("campaign", "meant_count", models.PositiveIntegerField(default=0)),
        migrations.AddField("campaign", "is_by_habit", models.BooleanField(default=False)),
    ]
