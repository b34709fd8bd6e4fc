"""A reader that dies between what follows from a report and the mark "seen": the next one reads it again, and it counts once."""

import signal
import subprocess
import sys

import pytest
from django.utils import timezone

from clients import addresses
from notifications import dispatch
from notifications.bounces import reading
from notifications.models import Mailbox, Message, ProviderEvent, State
from salon.core.models import AuditEvent, Salon
from tests.fakes.imap_server import ImapServer
from tests.fakes.provider import FakeProvider
from tests.notifications import returned, workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]
READ = (
    "import django; django.setup(); from django.utils import timezone; from notifications.bounces import reading; "
    "reading.read_due(timezone.now())"
)


@pytest.mark.parametrize("place", ["before_seen", ""])
def test_a_reader_killed_before_the_mark_is_made_leaves_a_report_that_counts_once(
    committed: Salon, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    fake = FakeProvider()
    monkeypatch.setattr("notifications.sending.provider", lambda *args, **kwargs: fake)
    (message,) = workers.reminders(1)
    dispatch.deliver_due()
    (envelope,) = fake.delivered
    with ImapServer() as box:
        Mailbox.objects.create(host="127.0.0.1", port=box.port, security="none", user=box.user, password=box.password)
        box.put(returned.bounce(envelope.message_id, envelope.recipient))
        environ = workers.environment(1, FAILPOINT=f"{place}:kill9" if place else "")
        died = subprocess.run([sys.executable, "-c", READ], check=False, cwd=workers.ROOT, env=environ, timeout=120)
        assert died.returncode == (-signal.SIGKILL if place else 0)
        assert box.seen == ([] if place else [1])
        Mailbox.objects.update(looked_at=None)
        reading.read_due(timezone.now())
        assert box.seen == [1]
        Mailbox.objects.update(looked_at=None, last_number=0)  # and once more from the beginning
        reading.read_due(timezone.now())
    assert Message.objects.get(pk=message.pk).state == State.BOUNCED
    assert addresses.is_undeliverable("email", envelope.recipient)
    assert ProviderEvent.objects.count() == 1
    assert AuditEvent.objects.filter(action="message.not_delivered").count() == 1
