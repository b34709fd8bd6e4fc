from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("clients", "0018_list_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="but",
            field=models.JSONField(default=list),
        ),
    ]
