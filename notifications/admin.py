"""The messages in the admin: every row to look at; a plan at once, and a stop, by their operations."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from clients.admin import OfClient
from notifications import (
    planning,
    stopping,
    systems_admin,  # noqa: F401 (registers its own)
)
from notifications.models import (
    Attempt,
    Campaign,
    CampaignRecipient,
    Heartbeat,
    Mailbox,
    MailServer,
    Message,
    Provider,
    ProviderEvent,
    Reply,
    SmsAccount,
    SmsTest,
    Trigger,
)
from notifications.plans import MessageText, ReminderException, ReminderTime
from salon.core.backoffice import Everyday, Looking, View, back, each, site
from salon.core.models import User

MESSAGES = Everyday(
    lazy("Messages are read, stopped and sent again under Messages."), lazy("Open the messages"), "notifications:list"
)
HEALTH = Everyday(
    lazy("How the installation fares stands under Settings → System health."),
    lazy("Open the health page"),
    "notifications:health",
)


@admin.register(Message, site=site)
class MessageAdmin(OfClient):
    """The outbox. One whose fate is unknown is sent again on the everyday page, with a reason."""

    called = lazy("messages")
    everyday = MESSAGES
    change_list_template = "admin/notifications/message/change_list.html"
    list_display = ("created_at", "client", "kind", "channel", "state", "reason", "not_before", "handoff_at", "provider")
    list_filter = ("state", "kind", "channel", "provider", "language")
    list_select_related = ("client",)
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    actions = ("stop", "resume")

    def more_urls(self, wrap: Callable[[View], View], name: str) -> Iterable[URLPattern]:
        """Return the act that makes a plan."""
        return [path("plan/", wrap(require_POST(self.plan)), name=f"{name}_plan")]

    def plan(self, request: HttpRequest) -> HttpResponse:
        """Write down what is due now instead of at the next tick."""
        assert isinstance(request.user, User)
        counts = planning.make(by=request.user, now=timezone.now())
        said = ", ".join(f"{name}: {count}" for name, count in counts.items() if count)
        messages.success(request, said or _("Nothing new to say."))
        return back(Message)

    @admin.action(description=lazy("Stop those that wait"))
    def stop(self, request: HttpRequest, rows: Any) -> None:
        """Stop waiting messages. One on its way cannot be stopped."""
        now = timezone.now()
        each(request, rows, lambda row: stopping.stop(row, by=request.user, now=now))  # type: ignore[arg-type]

    @admin.action(description=lazy("Let wait again those that were stopped"))
    def resume(self, request: HttpRequest, rows: Any) -> None:
        """Take a stop back."""
        each(request, rows, lambda row: stopping.resume(row, by=request.user))  # type: ignore[arg-type]


@admin.register(Attempt, site=site)
class AttemptAdmin(OfClient):
    """Each hand-over, with what the gate relied on."""

    client = "message__client"
    called = lazy("attempts to send")
    everyday = MESSAGES
    list_display = ("at", "message", "phase", "outcome", "code", "duration_ms")
    list_filter = ("outcome", "phase", "code")
    list_select_related = ("message",)
    date_hierarchy = "at"
    ordering = ("-at", "-pk")


@admin.register(Trigger, site=site)
class TriggerAdmin(Looking):
    """The salon's switches."""

    called = lazy("automatic triggers")
    everyday = Everyday(
        lazy("The switches are under Settings → Automatic triggers."), lazy("Open the switches"), "notifications:triggers"
    )
    list_display = ("kind", "is_on", "ways", "delay", "at", "switched_on_at")
    list_filter = ("is_on",)


TIMES = Everyday(
    lazy("When reminders leave is set under Settings → Automatic triggers → Reminder."), lazy("Open the reminders"),
    "notifications:times",
)  # fmt: skip


@admin.register(ReminderTime, site=site)
class ReminderTimeAdmin(Looking):
    """When reminders leave."""

    called = lazy("times of reminders")
    everyday = TIMES
    list_display = ("slot", "is_on", "days_before", "at", "hours_before")
    list_filter = ("is_on",)


@admin.register(ReminderException, site=site)
class ReminderExceptionAdmin(OfClient):
    """For which services and clients another answer holds."""

    called = lazy("exceptions from reminders")
    everyday = TIMES
    list_display = ("time", "service", "client", "is_on")
    list_filter = ("time", "is_on")
    list_select_related = ("time", "service", "client")


@admin.register(MessageText, site=site)
class MessageTextAdmin(Looking):
    """The salon's own texts, every version of them."""

    called = lazy("texts of messages")
    everyday = Everyday(
        lazy("The texts of messages are written under Settings → Notifications → Texts."), lazy("Open the texts"),
        "notifications:texts",
    )  # fmt: skip
    list_display = ("kind", "channel", "language", "version", "is_reset", "created_by", "created_at")
    list_filter = ("kind", "channel", "language", "is_reset")
    list_select_related = ("created_by",)


@admin.register(MailServer, site=site)
class MailServerAdmin(Looking):
    """The mail server. Its password is not read."""

    called = lazy("mail servers")
    everyday = Everyday(
        lazy("The mail server is entered and tested under Settings → Notifications → Sending."),
        lazy("Open the mail server"), "notifications:sending",
    )  # fmt: skip
    list_display = ("host", "port", "security", "user", "sender", "changed_at")


@admin.register(Mailbox, site=site)
class MailboxAdmin(Looking):
    """The mailbox for returned mail. Its password is not read."""

    called = lazy("mailboxes for returned mail")
    everyday = Everyday(
        lazy("The mailbox is entered and tested under Settings → Notifications → Sending, Returned mail."),
        lazy("Open the mailbox"), "notifications:mailbox",
    )  # fmt: skip
    list_display = ("host", "port", "security", "user", "looked_at", "changed_at")


@admin.register(SmsAccount, site=site)
class SmsAccountAdmin(Looking):
    """The account at the SMS provider. Its secrets are not read."""

    hidden = frozenset({"key_secret", "auth_token"})
    called = lazy("SMS accounts")
    everyday = Everyday(
        lazy("The SMS account is entered and tested under Settings → Notifications → Sending, SMS."),
        lazy("Open the SMS account"), "notifications:sms",
    )  # fmt: skip
    list_display = ("account_sid", "is_on", "sender", "monthly_budget", "campaign_cap", "changed_at")


@admin.register(SmsTest, site=site)
class SmsTestAdmin(Looking):
    """SMS that somebody of the team tried: they count in the budget."""

    called = lazy("test SMS")
    everyday = SmsAccountAdmin.everyday
    list_display = ("at", "by", "segments", "cost")
    list_select_related = ("by",)
    ordering = ("-at", "-pk")


@admin.register(ProviderEvent, site=site)
class ProviderEventAdmin(OfClient):
    """What the SMS provider or a mail server reported, each thing once."""

    client = "message__client"
    called = lazy("reports of providers")
    everyday = MESSAGES
    list_display = ("at", "message", "provider", "status", "code")
    list_filter = ("provider", "status", "code")
    list_select_related = ("message",)
    date_hierarchy = "at"
    ordering = ("-at", "-pk")


@admin.register(Reply, site=site)
class ReplyAdmin(OfClient):
    """SMS that clients sent. They are read, and marked as read, on the everyday page."""

    called = lazy("answers by SMS")
    everyday = Everyday(lazy("Answers are read under Messages → Answers."), lazy("Open the answers"), "notifications:replies")
    list_display = ("at", "client", "meaning", "handled_at", "handled_by")
    list_filter = ("meaning",)
    list_select_related = ("client", "handled_by")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")


@admin.register(Provider, site=site)
class ProviderAdmin(Looking):
    """How each provider fares."""

    called = lazy("providers")
    everyday = HEALTH
    list_display = ("name", "failure_count", "open_until", "reason")


@admin.register(Heartbeat, site=site)
class HeartbeatAdmin(Looking):
    """When planner and sender last ticked."""

    called = lazy("heartbeats")
    everyday = HEALTH
    list_display = ("name", "at")


CAMPAIGNS = Everyday(
    lazy("Promotions are written to the clients ticked in their list, and found again under Messages → Campaigns."),
    lazy("Open the campaigns"), "notifications:campaigns",
)  # fmt: skip


@admin.register(Campaign, site=site)
class CampaignAdmin(Looking):
    """What was written to several clients by hand."""

    called = lazy("campaigns")
    everyday = CAMPAIGNS
    everyday_page = "notifications:campaign"
    hidden = frozenset({"key"})
    list_display = ("pk", "state", "kind", "channel", "title", "created_by", "created_at", "ended_at")
    list_filter = ("state", "kind", "channel")
    list_select_related = ("created_by",)
    search_fields = ("title",)
    date_hierarchy = "created_at"
    ordering = ("-pk",)


@admin.register(CampaignRecipient, site=site)
class CampaignRecipientAdmin(OfClient):
    """Whom it was for, and why somebody was left out."""

    called = lazy("recipients of campaigns")
    everyday = CAMPAIGNS
    list_display = ("campaign", "client", "reason", "event")
    list_filter = ("reason",)
    list_select_related = ("campaign", "client", "event")
