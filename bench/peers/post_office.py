"""django-post-office as it comes: the mails are queued in the database and sent by its own command. Prints mails a second."""

import sys
import time

import django
from django.core.management import call_command


def main(count: int) -> None:
    """Queue `count` mails, send them and print the rate of sending."""
    from post_office import mail  # noqa: PLC0415 (only once Django is set up)
    from post_office.models import STATUS, Email  # noqa: PLC0415

    call_command("migrate", "post_office", verbosity=0, skip_checks=True)
    mail.send_many(
        [
            {"sender": "bench@example.org", "recipients": [f"a{number}@example.org"], "subject": "See you tomorrow at 14:30",
             "message": "Hello Amélie,\n\nwe are expecting you tomorrow.\n" * 5}
            for number in range(count)
        ]
    )  # fmt: skip
    began = time.perf_counter()
    mail.send_queued_mail_until_done(processes=1)
    took = time.perf_counter() - began
    assert Email.objects.filter(status=STATUS.sent).count() == count
    print(count / took)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))
