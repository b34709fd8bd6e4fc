"""SMS: the account at the provider, what it reports, what clients answer; and of a message its parts and cost."""

import importlib
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import salon.core.secrets
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


_steps = importlib.import_module("notifications.migrations.0002_states_kept")


def keep(apps, schema_editor):
    """SQLite adds a column by writing the table anew, and a trigger goes with the old one."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS notifications_message_steps")
        schema_editor.execute(_steps.SQLITE)


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0003_usual_staff'),
        ('clients', '0014_states'),
        ('notifications', '0006_kinds'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, keep),
        migrations.CreateModel(
            name='ProviderEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(max_length=20)),
                ('provider_id', models.CharField(blank=True, max_length=200)),
                ('status', models.CharField(max_length=20)),
                ('code', models.CharField(blank=True, max_length=20)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Reply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(max_length=20)),
                ('provider_id', models.CharField(blank=True, max_length=200)),
                ('sender', models.CharField(blank=True, max_length=20)),
                ('address_hmac', models.CharField(blank=True, max_length=64)),
                ('body', models.TextField(blank=True)),
                ('meaning', models.CharField(choices=[('stop', 'STOP'), ('start', 'START'), ('doubt', 'Perhaps a stop'), ('other', 'Text')], max_length=10)),
                ('at', models.DateTimeField()),
                ('handled_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='SmsAccount',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('is_on', models.BooleanField(default=True, verbose_name='SMS are sent')),
                ('account_sid', models.CharField(max_length=34, verbose_name='account SID')),
                ('key_sid', models.CharField(max_length=34, verbose_name='API key SID')),
                ('key_secret', salon.core.secrets.EncryptedField(verbose_name='API key secret')),
                ('auth_token', salon.core.secrets.EncryptedField(blank=True, verbose_name='auth token')),
                ('sender_kind', models.CharField(choices=[('number', 'A number of our own'), ('name', 'A name, like ATELIER (clients cannot answer)'), ('service', 'A messaging service')], default='number', max_length=10, verbose_name='sender')),
                ('sender', models.CharField(max_length=34, verbose_name='sender')),
                ('can_answer', models.BooleanField(default=True, verbose_name='clients can answer')),
                ('prices', models.JSONField(default=dict, verbose_name='prices')),
                ('monthly_budget', models.DecimalField(decimal_places=2, max_digits=8, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='budget a month')),
                ('campaign_cap', models.DecimalField(decimal_places=2, max_digits=8, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='most for one promotion')),
                ('may_tidy_names', models.BooleanField(default=False, verbose_name='plain letters in names too')),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name='message',
            name='cost',
            field=models.DecimalField(decimal_places=4, default=0, max_digits=8),
        ),
        migrations.AddField(
            model_name='message',
            name='segments',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='message',
            name='turned_from',
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('channel', 'sms'), ('handoff_at__isnull', False)), fields=['handoff_at'], name='notifications_message_sms'),
        ),
        migrations.AddField(
            model_name='providerevent',
            name='message',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='events', to='notifications.message'),
        ),
        migrations.AddField(
            model_name='reply',
            name='client',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replies', to='clients.client'),
        ),
        migrations.AddField(
            model_name='reply',
            name='handled_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='smsaccount',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='notifications_smsaccount_only_one'),
        ),
        migrations.AddConstraint(
            model_name='providerevent',
            constraint=models.UniqueConstraint(condition=models.Q(('provider_id', ''), _negated=True), fields=('provider', 'provider_id', 'status'), name='notifications_providerevent_once'),
        ),
        migrations.AddIndex(
            model_name='reply',
            index=models.Index(fields=['client', '-at'], name='notifications_reply_card'),
        ),
        migrations.AddIndex(
            model_name='reply',
            index=models.Index(condition=models.Q(('handled_at', None), ('meaning', 'doubt')), fields=['address_hmac'], name='notifications_reply_open'),
        ),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
