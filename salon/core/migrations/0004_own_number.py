from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0003_notices'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='phone',
            field=models.CharField(blank=True, max_length=20, verbose_name='mobile number'),
        ),
    ]
