"""An account for SMS is off until a test has passed. One that is there already was used: it stays as it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0012_late_proof")]
    operations = [
        migrations.AddField("smsaccount", "is_proved", models.BooleanField(default=True)),
        migrations.AlterField("smsaccount", "is_proved", models.BooleanField(default=False)),
    ]
