import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0013_proved_account'),
    ]

    operations = [
        migrations.AddField(
            model_name='trigger',
            name='again',
            field=models.PositiveSmallIntegerField(null=True, validators=[django.core.validators.MaxValueValidator(52)], verbose_name='once more after'),
        ),
        migrations.AddField(
            model_name='trigger',
            name='is_by_rhythm',
            field=models.BooleanField(default=False, verbose_name="by the client's own rhythm"),
        ),
    ]
