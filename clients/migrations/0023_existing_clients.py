import django.db.models.deletion
import hashlib

from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

# What a client is told when the address is noted, before any offer: one wording a channel and language.
WORDS = {
    "en": "{salon} may write to you by {channel} about its own similar services, as you are a client. You can say no now, and "
    "at any time later with one click or at the desk, free of charge.",
    "fr": "{salon} peut vous \u00e9crire par {channel} au sujet de ses propres prestations similaires, car vous comptez "
    "parmi ses clients. Vous pouvez refuser maintenant, ou plus tard \u00e0 tout moment, en un clic ou \u00e0 l'accueil, sans frais.",
    "de": "{salon} darf Ihnen als Kundin oder Kunde per {channel} \u00fcber eigene \u00e4hnliche Leistungen schreiben. Sie k\u00f6nnen "
    "dem jetzt und jederzeit sp\u00e4ter mit einem Klick oder am Empfang widersprechen, ohne dass Kosten entstehen.",
}


def write(apps, schema_editor):
    text = apps.get_model("clients", "ConsentText")
    for channel in ("email", "sms"):
        for language, body in WORDS.items():
            text.objects.create(
                purpose="existing", channel=channel, language=language, version="2026-1", body=body,
                sha256=hashlib.sha256(body.encode()).hexdigest(), published_at=timezone.now(),
            )


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('clients', '0022_deletion_run'),
    ]

    operations = [
        migrations.CreateModel(
            name='ExistingRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS')], max_length=10)),
                ('switched_on_at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('country', 'channel'), name='clients_existingrule_once')],
            },
        ),
        migrations.RunPython(write, migrations.RunPython.noop),
    ]
