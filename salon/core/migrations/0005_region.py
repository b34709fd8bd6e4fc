from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0004_own_number'),
    ]

    operations = [
        migrations.AddField(
            model_name='salon',
            name='region',
            field=models.CharField(blank=True, max_length=20, verbose_name='region'),
        ),
    ]
