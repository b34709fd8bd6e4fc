"""One Celery task for each message: load the row, send with Django's mail, write the state. Prints mails a second."""

import os
import sys
import tempfile
import threading
import time

import django
from celery import Celery
from django.core.mail import send_mail
from django.db import connections


def _app(folder: str) -> Celery:
    app = Celery("peer")
    app.conf.update(
        broker_url=os.environ.get("BENCH_BROKER_URL", "filesystem://"), task_ignore_result=True, worker_prefetch_multiplier=1,
        broker_transport_options={
            "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder, "polling_interval": 0.01,
        },
    )  # fmt: skip
    return app


def main(count: int) -> None:
    """Send `count` mails, each through a task of its own on a worker with one thread, and print the rate."""
    from notifications.models import Message  # noqa: PLC0415 (only once Django is set up)

    folder = tempfile.mkdtemp(prefix="bench-queue-")
    app = _app(folder)

    began: list[float] = []

    @app.task(name="peer.send")
    def send(pk: int) -> None:
        began.append(time.perf_counter())
        message = Message.objects.select_related("client").get(pk=pk)
        text = "Hello Amélie,\n\nwe are expecting you tomorrow.\n" * 5
        send_mail("See you tomorrow at 14:30", text, "bench@example.org", [message.recipient])
        Message.objects.filter(pk=pk).update(reason="peer")

    pks = list(Message.objects.order_by("-pk").values_list("pk", flat=True)[:count])
    # All are in the folder before the worker looks: it ends when it meets a file that is still being written. What it costs
    # to put them there is the peer's gain.
    for pk in pks:
        send.delay(pk)
    worker = app.Worker(pool="threads", concurrency=1, loglevel="ERROR", without_gossip=True, without_mingle=True)
    threading.Thread(target=worker.start, daemon=True).start()
    while Message.objects.filter(reason="peer").count() < len(pks):
        time.sleep(0.02)
    took = time.perf_counter() - began[0]
    connections.close_all()
    print(len(pks) / took, flush=True)
    os._exit(0)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))
