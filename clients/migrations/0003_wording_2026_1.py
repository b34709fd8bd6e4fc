"""The words a client says Yes to, version 2026-1, in every language. {salon} and {channel} are filled in when shown."""

import hashlib

from django.db import migrations

VERSION = "2026-1"
MARKETING = ("promotion", "rebook", "review", "birthday", "welcome")
TEXTS = {
    "en": {
        "promotion": "Yes, {salon} may send me offers and news about its own services by {channel}. I can stop this at any time with one click or at the desk.",
        "rebook": "Yes, {salon} may remind me by {channel} when it could be time for a new appointment. I can stop this at any time with one click or at the desk.",
        "review": "Yes, after a visit {salon} may ask me by {channel} for a review. I can stop this at any time with one click or at the desk.",
        "birthday": "Yes, {salon} may use my date of birth to send me a birthday greeting by {channel}. I can stop this at any time with one click or at the desk.",
        "welcome": "Yes, {salon} may send me a welcome message with useful information by {channel}. I can stop this at any time with one click or at the desk.",
        "profiling": "Yes, {salon} may evaluate my bookings and purchases, also together with those of others, to understand habits and improve its services. Without my yes my visits stay out of such statistics. I can change this at any time.",
        "health_notes": "I expressly agree that {salon} records the allergies and health details I give so that treatments are safe for me. Only the staff treating me see them. I can withdraw this at any time; the details are then deleted.",
    },
    "fr": {
        "promotion": "Oui, {salon} peut m'envoyer par {channel} des offres et des actualités sur ses propres prestations. Je peux arrêter à tout moment, en un clic ou à l'accueil.",
        "rebook": "Oui, {salon} peut me rappeler par {channel} qu'il serait temps de reprendre rendez-vous. Je peux arrêter à tout moment, en un clic ou à l'accueil.",
        "review": "Oui, {salon} peut me demander un avis par {channel} après une visite. Je peux arrêter à tout moment, en un clic ou à l'accueil.",
        "birthday": "Oui, {salon} peut utiliser ma date de naissance pour me souhaiter mon anniversaire par {channel}. Je peux arrêter à tout moment, en un clic ou à l'accueil.",
        "welcome": "Oui, {salon} peut m'envoyer par {channel} un message de bienvenue avec des informations utiles. Je peux arrêter à tout moment, en un clic ou à l'accueil.",
        "profiling": "Oui, {salon} peut étudier mes rendez-vous et achats, seuls ou avec ceux d'autres clients, pour comprendre les habitudes et améliorer ses services. Sans mon accord, mes visites restent hors de ces statistiques. Je peux changer d'avis à tout moment.",
        "health_notes": "J'accepte expressément que {salon} note les allergies et informations de santé que je communique, pour que les soins soient sûrs pour moi. Seules les personnes qui s'occupent de moi les voient. Je peux retirer cet accord à tout moment ; ces informations sont alors effacées.",
    },
    "de": {
        "promotion": "Ja, {salon} darf mir per {channel} Angebote und Neuigkeiten zu den eigenen Leistungen senden. Ich kann das jederzeit mit einem Klick oder am Empfang beenden.",
        "rebook": "Ja, {salon} darf mich per {channel} erinnern, wenn es Zeit für einen neuen Termin sein könnte. Ich kann das jederzeit mit einem Klick oder am Empfang beenden.",
        "review": "Ja, {salon} darf mich nach einem Besuch per {channel} um eine Bewertung bitten. Ich kann das jederzeit mit einem Klick oder am Empfang beenden.",
        "birthday": "Ja, {salon} darf mein Geburtsdatum nutzen, um mir per {channel} zum Geburtstag zu gratulieren. Ich kann das jederzeit mit einem Klick oder am Empfang beenden.",
        "welcome": "Ja, {salon} darf mir per {channel} eine Begrüßung mit nützlichen Hinweisen senden. Ich kann das jederzeit mit einem Klick oder am Empfang beenden.",
        "profiling": "Ja, {salon} darf meine Termine und Einkäufe, einzeln oder zusammen mit denen anderer, auswerten, um Gewohnheiten zu verstehen und das Angebot zu verbessern. Ohne mein Ja bleiben meine Besuche aus solchen Statistiken heraus. Ich kann das jederzeit ändern.",
        "health_notes": "Ich willige ausdrücklich darin ein, dass {salon} die von mir genannten Allergien und Gesundheitsangaben festhält, damit Behandlungen für mich sicher sind. Nur die mich behandelnden Personen sehen sie. Ich kann das jederzeit widerrufen; die Angaben werden dann gelöscht.",
    },
}


def rows():
    """Yield (purpose, channel, language, body) of every wording."""
    for language, texts in TEXTS.items():
        for name, body in texts.items():
            if name in MARKETING:
                for channel in ("email", "sms"):
                    yield f"mkt.{name}", channel, language, body
            else:
                yield name, "", language, body


def publish(apps, schema_editor):
    """Write each wording down once."""
    text = apps.get_model("clients", "ConsentText")
    text.objects.bulk_create(
        text(
            purpose=purpose, channel=channel, language=language, version=VERSION, body=body,
            sha256=hashlib.sha256(body.encode()).hexdigest(),
        )
        for purpose, channel, language, body in rows()
    )


def withdraw(apps, schema_editor):
    """Take the wordings back; the database refuses where the ledger points at one."""
    apps.get_model("clients", "ConsentText").objects.filter(version=VERSION).delete()


class Migration(migrations.Migration):
    dependencies = [("clients", "0002_ledger_guard")]

    operations = [migrations.RunPython(publish, withdraw)]
