"""Birthday, welcome, rebook and review; up to three reminders of a visit; the salon's own texts.

The one hour of the reminder that the switch had becomes the first of the times. What was said keeps being said: the
occasion of a reminder names the slot now, where it named the number of days.
"""

import datetime

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class AddIndexToClients(migrations.AddIndex):
    """An index on the clients, for the birthdays: asked by the planner of this app alone."""

    def state_forwards(self, app_label, state):
        super().state_forwards("clients", state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        super().database_forwards("clients", schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        super().database_backwards("clients", schema_editor, from_state, to_state)


def carry(apps, schema_editor):
    """Make the first time of what the switch of the reminder says, and name it in the reminders of visits ahead."""
    trigger = apps.get_model("notifications", "Trigger").objects.filter(kind="reminder").first()
    days, at = (trigger.days_before, trigger.at) if trigger else (1, datetime.time(10))
    apps.get_model("notifications", "ReminderTime").objects.create(slot=1, is_on=True, days_before=days, at=at)
    message = apps.get_model("notifications", "Message")
    ahead = message.objects.filter(kind="reminder", told_start_at__gt=django.utils.timezone.now())
    for pk, client, occasion in ahead.values_list("pk", "client", "occasion"):
        visit, version, slot, *more = occasion.split(":")
        now = ":".join([visit, version, "1", *more])
        if slot != "1" and not message.objects.filter(kind="reminder", client=client, occasion=now).exists():
            message.objects.filter(pk=pk).update(occasion=now)


def usual(apps, schema_editor):
    """Leave the hour of each kind to the table of kinds."""
    apps.get_model("notifications", "Trigger").objects.update(at=None)


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0004_rebook_per_client'),
        ('clients', '0014_states'),
        ('notifications', '0005_lighter_steps'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReminderTime',
            fields=[
                ('slot', models.PositiveSmallIntegerField(primary_key=True, serialize=False, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3)])),
                ('is_on', models.BooleanField(default=True, verbose_name='on')),
                ('days_before', models.PositiveSmallIntegerField(null=True, validators=[django.core.validators.MaxValueValidator(30)], verbose_name='days before')),
                ('at', models.TimeField(null=True, verbose_name='at')),
                ('hours_before', models.PositiveSmallIntegerField(null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(72)], verbose_name='hours before')),
            ],
            options={
                'ordering': ['slot'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('at__isnull', False), ('days_before__isnull', False), ('hours_before', None)), models.Q(('at', None), ('days_before', None), ('hours_before__isnull', False)), _connector='OR'), name='notifications_remindertime_one_way'), models.CheckConstraint(condition=models.Q(('slot__gte', 1), ('slot__lte', 3)), name='notifications_remindertime_known_slot')],
            },
        ),
        migrations.RunPython(carry, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='trigger',
            name='days_before',
        ),
        migrations.AddField(
            model_name='trigger',
            name='delay',
            field=models.PositiveSmallIntegerField(null=True, validators=[django.core.validators.MaxValueValidator(104)], verbose_name='how long after'),
        ),
        migrations.AddField(
            model_name='trigger',
            name='target',
            field=models.URLField(blank=True, max_length=300, verbose_name='address of the page'),
        ),
        migrations.AddField(
            model_name='trigger',
            name='ways',
            field=models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('email sms', 'E-mail, else SMS'), ('sms email', 'SMS, else e-mail')], default='email sms', max_length=10, verbose_name='by'),
        ),
        migrations.AlterField(
            model_name='trigger',
            name='at',
            field=models.TimeField(null=True, verbose_name='at'),
        ),
        migrations.RunPython(usual, migrations.RunPython.noop),
        migrations.CreateModel(
            name='MessageText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS')], max_length=10)),
                ('language', models.CharField(choices=[('en', 'English'), ('fr', 'French'), ('de', 'German')], max_length=5)),
                ('version', models.PositiveIntegerField()),
                ('subject', models.CharField(blank=True, max_length=150, verbose_name='subject')),
                ('body', models.TextField(blank=True, max_length=4000, verbose_name='text')),
                ('is_reset', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['kind', 'channel', 'language', '-version'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'channel', 'language', 'version'), name='notifications_messagetext_once'), models.CheckConstraint(condition=models.Q(models.Q(('body', ''), ('is_reset', True), ('subject', '')), models.Q(('is_reset', False), models.Q(('body', ''), _negated=True)), _connector='OR'), name='notifications_messagetext_says_something')],
            },
        ),
        migrations.CreateModel(
            name='ReminderException',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_on', models.BooleanField()),
                ('client', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reminder_exceptions', to='clients.client')),
                ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='appointments.service')),
                ('time', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exceptions', to='notifications.remindertime')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('client__isnull', False), ('service', None)), models.Q(('client', None), ('service__isnull', False)), _connector='OR'), name='notifications_reminderexception_of_one'), models.UniqueConstraint(fields=('time', 'service'), name='notifications_reminderexception_service'), models.UniqueConstraint(fields=('time', 'client'), name='notifications_reminderexception_client')],
            },
        ),
        AddIndexToClients(
            model_name='client',
            index=models.Index(
                fields=['birth_month', 'birth_day'],
                name='clients_client_birthday',
                condition=models.Q(birth_day__isnull=False),
            ),
        ),
    ]
