"""`manage.py why CLIENT`: what the gate answers for each kind and channel, with every reason."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clients.models import Client
from notifications import reasons, why


class Command(BaseCommand):
    help = "Say why a client gets a message, or does not. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("client", type=int, help="the number of the card, as in its address")

    def handle(self, *args: Any, **options: Any) -> None:
        client = Client.objects.filter(pk=options["client"]).first()
        if client is None:
            raise CommandError(f"There is no client {options['client']}.")
        for answer in why.answers(client, timezone.now()):
            mark = "yes" if answer.is_yes else "   " if answer.told else "no "
            self.stdout.write(f"{answer.kind:13} {answer.channel:6} {mark} {answer.sentence}")
            for reason in answer.reasons[1:]:
                self.stdout.write(f"{'':25}and: {reasons.sentence(reason)}")
