"""A salon's year in fast motion: clients, visits and answers on a clock of our own, and what the provider was given.

The clock is Python's, and that of SQLite too: leases, caps and hand-overs are stamped by the database.
"""

import datetime as dt
import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from appointments.models import Appointment
from clients.models import Client
from notifications import dispatch, planner, smsaccount
from notifications.models import Message, Trigger
from notifications.plans import ReminderTime
from salon.core import audit
from salon.core.models import Salon
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications import marketing, texting

HOUR, DAY, WEEK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(weeks=1)
KINDS = ("birthday", "welcome", "rebook", "review")


@dataclass
class Soul:
    """One client, and what is known of them apart from the database."""

    client: Client
    born: tuple[int, int]
    added: dt.datetime
    # By kind and channel: since when there was a Yes, and until when.
    yes: dict[tuple[str, str], list[tuple[dt.datetime, dt.datetime | None]]] = field(default_factory=dict)
    # Each visit: start, when it was booked, when it was cancelled, when it was moved from another start; how it ended.
    visits: list[dict[str, Any]] = field(default_factory=list)

    def said_yes(self, kind: str, at: dt.datetime, channel: str = "email") -> bool:
        return any(since <= at and (until is None or at < until) for since, until in self.yes.get((kind, channel), []))


@dataclass
class Said:
    """What the provider was given."""

    kind: str
    channel: str
    soul: Soul
    at: dt.datetime
    address: str
    about: int | None
    told_start_at: dt.datetime | None
    slot: str


class Year:
    """The salon in one zone, with `count` clients, from `begins` on for `days`."""

    def __init__(
        self, zone: str, count: int, begins: dt.datetime, days: int, fake: FakeProvider, patch: pytest.MonkeyPatch, seed: int = 7
    ) -> None:
        self.zone, self.begins, self.ends, self.fake = ZoneInfo(zone), begins, begins + days * DAY, fake
        self.now, self.rng, self.said = begins, Random(seed), list[Said]()
        self._order, self._acts = itertools.count(), list[tuple[dt.datetime, int, Callable[[], None]]]()
        patch.setattr(timezone, "now", lambda: self.now)
        # Who carries SMS: also one that writes down what it was given.
        self.texts = FakeProvider("twilio")
        patch.setattr(smsaccount, "provider", lambda **more: self.texts)
        texting.account()
        self._set_sqlite()
        Salon.objects.update(time_zone=zone)
        for kind in KINDS:
            Trigger.objects.update_or_create(
                kind=kind, defaults={"is_on": True, "target": "https://r.example.org/" if kind == "review" else ""}
            )
        Trigger.objects.filter(pk="rebook").update(is_by_rhythm=True, again=3)
        ReminderTime.objects.update_or_create(slot=2, defaults={"is_on": True, "hours_before": 3})
        self.staff, self.service = factories.staff(), factories.service(rebook_weeks=4)
        self.souls = [self._soul(number) for number in range(count)]
        # For a while the salon sends no requests for reviews.
        self.off = (begins + days * DAY * 0.3, begins + days * DAY * 0.4)
        self._at(self.off[0], lambda: Trigger.objects.filter(pk="review").update(is_on=False))
        self._at(self.off[1], lambda: Trigger.objects.filter(pk="review").update(is_on=True, switched_on_at=self.now))

    def _set_sqlite(self) -> None:
        """Let the database ask Python for the time: of the year, and after the test the real one (no function is forgotten)."""

        def clock(form: str, when: str, *later: str) -> str:
            moment = timezone.now().astimezone(dt.UTC) + dt.timedelta(seconds=sum(int(one.split()[0]) for one in later))
            return f"{moment:%Y-%m-%d %H:%M:%S.%f}"[:23] + form.partition("%f")[2]

        connection.ensure_connection()
        connection.connection.create_function("STRFTIME", -1, clock)

    def _at(self, when: dt.datetime, act: Callable[[], Any]) -> None:
        heapq.heappush(self._acts, (when, next(self._order), act))

    def _somewhen(self, first: dt.datetime, last: dt.datetime) -> dt.datetime:
        return first + (last - first) * self.rng.random()

    # --- who comes, and when ------------------------------------------------------------------------------------------

    def _soul(self, number: int) -> Soul:
        born = (2, 29) if number == 0 else (self.rng.randint(1, 12), self.rng.randint(1, 28))
        is_new = self.rng.random() < 0.4
        added = self._somewhen(self.begins, self.ends - 20 * DAY) if is_new else self.begins - 100 * DAY
        # Two and two share an address.
        email = f"person{number // 2 if number % 5 == 1 else number}@example.org"
        phone = f"+33612000{number // 2 if number % 5 == 1 else number:03}"
        client = factories.client(
            birth_month=born[0], birth_day=born[1], created_at=added, email=email, phone=phone,
            inactive_at=added if is_new else None, preferred_channel=self.rng.choice(["", "email", "sms", "sms"]),
        )  # fmt: skip
        soul = Soul(client, born, added)
        if is_new:
            self._at(added, lambda: self._arrive(client))
        for kind, channel in itertools.product(KINDS, ("email", "sms")):
            if self.rng.random() < 0.6:
                since = added + HOUR if self.rng.random() < 0.8 else self._somewhen(added + HOUR, self.ends)
                until = self._somewhen(since + DAY, self.ends + 90 * DAY) if self.rng.random() < 0.5 else None
                soul.yes[kind, channel] = [(since, until)]
                self._at(since, partial(self._answer, soul, kind, channel, "grant"))
                if until:
                    self._at(until, partial(self._answer, soul, kind, channel, "withdraw"))
        if self.rng.random() < 0.6:
            since = added + HOUR
            until = self._somewhen(since + DAY, self.ends + 90 * DAY) if self.rng.random() < 0.3 else None
            soul.yes["profiling", ""] = [(since, until)]
            self._at(since, partial(self._profile, soul, "grant"))
            if until:
                self._at(until, partial(self._profile, soul, "withdraw"))
        if not is_new:
            self._came(soul, self.rng.randint(2, 5))
        start = added + self.rng.randint(2, 20) * DAY
        while start < self.ends:
            self._visit(soul, start)
            start += self.rng.randint(12, 70) * DAY
        return soul

    def _arrive(self, client: Client) -> None:
        Client.objects.filter(pk=client.pk).update(inactive_at=None)
        audit.record("client.added", client)

    def _answer(self, soul: Soul, kind: str, channel: str, event: str) -> None:
        marketing.says(soul.client, event, self.now, purpose=f"mkt.{kind}", channel=channel)

    def _profile(self, soul: Soul, event: str) -> None:
        marketing.says(soul.client, event, self.now, purpose="profiling", channel="")

    def _came(self, soul: Soul, weeks: int) -> None:
        """Let somebody have come every so many weeks until a while ago."""
        last = self.begins - self.rng.randint(1, weeks * 7) * DAY
        for number in range(4, -1, -1):
            start = last - number * weeks * WEEK
            row = {"start": start, "booked": start - DAY, "cancelled": None, "moved": None, "end": "done", "pk": None}
            soul.visits.append(row)
            self._book(soul, row)
            self._set(row, state="done")

    def _visit(self, soul: Soul, day: dt.datetime) -> None:
        local = dt.datetime.combine(day.astimezone(self.zone).date(), dt.time(self.rng.randint(8, 18), 30), self.zone)
        start = local.astimezone(dt.UTC)
        booked = max(start - self.rng.choice([2 * HOUR, 20 * HOUR, 3 * DAY, 9 * DAY]), soul.added)
        row: dict[str, Any] = {"start": start, "booked": booked, "cancelled": None, "moved": None, "end": "done", "pk": None}
        soul.visits.append(row)
        self._at(booked, lambda: self._book(soul, row))
        chance = self.rng.random()
        if chance < 0.15:
            row["cancelled"] = self._somewhen(booked, start)
            self._at(row["cancelled"], lambda: self._set(row, state="cancelled", cancelled_at=self.now))
        elif chance < 0.35:
            at, later = self._somewhen(booked, start), start + self.rng.choice([HOUR, DAY, 3 * DAY])
            row["moved"] = (at, start)
            self._at(at, lambda: self._move(row, later))
            row["start"] = later
        elif chance < 0.45:
            row["end"] = "no_show"
        if row["cancelled"] is None:
            self._at(row["start"] + HOUR, lambda: self._set(row, state=row["end"]))

    def _book(self, soul: Soul, row: dict[str, Any]) -> None:
        start = row["moved"][1] if row["moved"] else row["start"]
        made = factories.appointment(
            client=soul.client, staff=self.staff, service=self.service, start_at=start, time_set_at=self.now,
            created_at=self.now, is_overbooked=True, is_notice_wanted=False,
        )  # fmt: skip
        row["pk"] = made.pk

    def _move(self, row: dict[str, Any], start: dt.datetime) -> None:
        self._set(row, start_at=start, end_at=start + HOUR, time_version=2, time_set_at=self.now)

    def _set(self, row: dict[str, Any], **changes: Any) -> None:
        Appointment.objects.filter(pk=row["pk"]).update(**changes)

    # --- how it goes --------------------------------------------------------------------------------------------------

    def run(self, ticks: Iterable[dt.datetime]) -> None:
        """At each tick do what happened until then, then plan and send."""
        by_client = {soul.client.pk: soul for soul in self.souls}
        for tick in ticks:
            while self._acts and self._acts[0][0] <= tick:
                self.now, _order, act = heapq.heappop(self._acts)
                act()
            self.now = tick
            planner.plan(tick)
            self.fake.delivered.clear()
            self.texts.delivered.clear()
            dispatch.deliver_due(now=tick)
            taken = [envelope.message_id.removeprefix("<m.").partition(".")[0] for envelope in self.fake.delivered]
            given: list[Any] = self.texts.delivered
            taken += [text.callback.rstrip("/").rpartition("/")[2].partition("-")[0] for text in given]
            for pk in taken:
                message = Message.objects.get(pk=pk)
                slot = message.occasion.split(":")[2] if message.kind == "reminder" else ""
                self.said.append(
                    Said(
                        message.kind, message.channel, by_client[message.client_id or 0], tick, message.recipient,
                        message.appointment_id, message.told_start_at, slot,
                    )
                )  # fmt: skip

    def every(self, step: dt.timedelta) -> Iterable[dt.datetime]:
        """Give the ticks of the whole time."""
        tick = self.begins
        while tick < self.ends:
            yield tick
            tick += step
