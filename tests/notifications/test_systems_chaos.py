"""A sender that dies between the request and its note of it says it again: at least once, and nothing is lost."""

import os
import signal
import subprocess
import sys

import pytest
from django.utils import timezone

from clients import consent
from notifications.systems import planning, sending, signing
from notifications.systems.models import Delivery, OtherSystem
from salon.core.models import Salon
from tests import factories
from tests.fakes.hook_receiver import Receiver
from tests.notifications import workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]
SERVE = "import django; django.setup(); from notifications.systems import sending; sending.serve({pk})"


def serve_and_die(system: OtherSystem, place: str) -> int:
    """Serve a system in a process that is killed at `place`, and return its exit code."""
    environ = workers.environment(1, FAILPOINT=f"{place}:kill9" if place else "")
    command = [sys.executable, "-c", SERVE.format(pk=system.pk)]
    return subprocess.run(command, check=False, cwd=workers.ROOT, env=environ, timeout=120).returncode


def test_a_sender_killed_before_or_after_the_request_leaves_it_to_the_next_with_the_same_id(committed: Salon) -> None:
    receiver = Receiver(signing.new_secret())
    system = factories.other_system(url=receiver.url, secret=receiver.secrets[0])
    clients = [factories.client() for _ in range(1 if os.environ.get("CHAOS") == "short" else 4)]
    for client in clients:
        consent.record(client, purpose="mkt.promotion", channel="email", event="deny", source="in_person")
    planning.plan(timezone.now())
    try:
        for place, sent in (("system_before_send", 0), ("system_sent", 1)):
            assert serve_and_die(system, place) == -signal.SIGKILL
            assert (len(receiver.requests), Delivery.objects.filter(state="told").count()) == (sent, 0)
            assert sending.serve(system.pk) == 0  # the dead one holds the lease
            OtherSystem.objects.update(lease_until=workers.LONG_AGO)
        # What is changed meanwhile is told afterwards: the dead one may have read what was before.
        consent.record(clients[0], purpose="mkt.review", channel="email", event="deny", source="in_person")
        planning.plan(timezone.now())
        assert serve_and_die(system, "") == 0
        assert not Delivery.objects.filter(state="waiting").exists()
        ids = [request.event_id for request in receiver.requests]
        assert (ids[0], len(ids)) == (ids[1], len(clients) + 2)
        assert all(request.good_count == 1 for request in receiver.requests)
        last = [request for request in receiver.requests if request.event["data"]["client"]["id"] == str(clients[0].pk)][-1]
        assert (last.event["data"]["preferences"]["review"]["email"], last.event_id != ids[0]) == ("no", True)
    finally:
        receiver.close()
