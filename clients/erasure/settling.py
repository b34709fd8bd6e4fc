"""What a kill leaves in the journal: a line of which nobody has said whether the database committed. Called by the worker.

Such a line would erase somebody after a restore whom nobody erases any more: a client who was brought back, or came again.
"""

from django.db import transaction

from clients.erasure import journal
from clients.models import Client, Erasure


def settle() -> int:
    """Say of every open line of the journal how it ended, and return how many came to nothing.

    A line comes to nothing only where its cards are here as it says and no erasure stands behind it. Where they are not,
    another database was put in place meanwhile: then the line stands, and `manage.py after_restore` follows it.
    """
    count = 0
    for entry in journal.unsettled():
        with transaction.atomic():
            # The line is written under this lock: whoever is still about it has ended when we have it.
            cards = Client.objects.select_for_update().filter(pk__in=dict(entry.cards)).order_by("pk")
            made = dict(cards.values_list("pk", "created_at"))
            is_done = Erasure.objects.filter(case=entry.case).exists()
        if is_done:
            journal.settle(entry.case)
        elif made == dict(entry.cards):
            journal.take_back(entry.case)
            count += 1
    return count
