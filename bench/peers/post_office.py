"""django-post-office: the mails are queued in the database and sent by its own command. Prints mails a second.

"one": the same work as ours on one thread, a reminder kept as template and values and put into words when it is sent, as text
and as HTML in the same shell.
"five": as it comes, five threads, and the words are ready.
"""

import sys
import time
from typing import Any, cast

import django
from django.conf import settings
from django.core.management import call_command

SUBJECT = "Tomorrow at {{ time }}: {{ service }} at {{ salon }}"
WORDS = """Hello {{ first_name }},

we are expecting you:

{{ service }} with {{ staff }}
{{ date_long }}, {{ time }}

{{ salon }}, {{ address_line }}

If you cannot come, call us at {{ salon_phone }} or write to {{ salon_email }}.

See you soon,
{{ salon }}

--
{{ salon }}, {{ address_line }}. You get this because you booked with us.
Which messages you get: {{ preferences_link }}
"""
VALUES = {
    "salon": "Bench", "service": "Cut", "staff": "Léa", "time": "14:30", "date_long": "Wednesday 18 November 2026",
    "address_line": "12 rue des Lilas, 69003 Lyon", "salon_phone": "04 72 00 00 00", "salon_email": "bench@example.org",
    "preferences_link": "https://salon.example.org/u/0123456789abcdef0123456789abcdef",
}  # fmt: skip


def main(way: str, count: int) -> None:
    """Queue `count` mails, send them and print the rate of sending."""
    from post_office import mail  # noqa: PLC0415 (only once Django is set up)
    from post_office.models import STATUS, Email, EmailTemplate  # noqa: PLC0415

    from notifications import letter  # noqa: PLC0415
    from notifications.rendering import Rendered  # noqa: PLC0415

    call_command("migrate", "post_office", verbosity=0, skip_checks=True)
    Email.objects.all().delete()
    if way == "one":
        cast("Any", settings).POST_OFFICE["THREADS_PER_PROCESS"] = 1
        said = WORDS.replace("\n\n--\n", letter.FOOTER)
        html = letter.dress(Rendered("", "en", SUBJECT, said, look="service", salon=VALUES["salon"]))
        template, _ = EmailTemplate.objects.get_or_create(name="reminder", subject=SUBJECT, content=WORDS, html_content=html)
        words = [
            {"template": template, "context": {**VALUES, "first_name": f"Amélie {number}"}, "render_on_delivery": True}
            for number in range(count)
        ]
    else:
        text = "Hello Amélie,\n\nwe are expecting you tomorrow.\n" * 5
        words = [{"subject": "See you tomorrow at 14:30", "message": text}] * count
    mail.send_many(
        [{"sender": "bench@example.org", "recipients": [f"a{number}@example.org"], **said} for number, said in enumerate(words)]
    )
    began = time.perf_counter()
    mail.send_queued_mail_until_done(processes=1)
    took = time.perf_counter() - began
    assert Email.objects.filter(status=STATUS.sent).count() == count
    print(count / took)


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], int(sys.argv[2]))
