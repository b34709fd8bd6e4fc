"""How the acts around messages are told on the activity page. Registered when the app starts."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext_lazy

from clients import access as clients_access
from notifications import access, reasons, words
from notifications.models import Campaign, Mailbox, MailServer, Message, SmsAccount
from salon.core import activity
from salon.core.activity import Facts, Kind, Named, Telling, Text
from salon.core.deeds import fields_of
from salon.core.models import Salon, User
from salon.core.roles import May

_FIELDS: Mapping[str, Text] = {
    "host": lazy("mail server"), "port": lazy("port"), "security": lazy("encryption"), "user": lazy("user name"),
    "password": lazy("password"), "sender": lazy("sender"), "reply_to": lazy("reply address"),
}  # fmt: skip

_SMS_FIELDS: Mapping[str, Text] = {
    "account_sid": lazy("account"), "key_sid": lazy("key"), "key_secret": lazy("secret of the key"),
    "auth_token": lazy("auth token"),
    "sender_kind": lazy("kind of sender"), "sender": lazy("sender"), "can_answer": lazy("answers"), "prices": lazy("prices"),
    "monthly_budget": lazy("budget"), "campaign_cap": lazy("most for one promotion"), "may_tidy_names": lazy("plain letters"),
}  # fmt: skip


def _kind(facts: Facts) -> Mapping[str, Text]:
    return {"kind": words.kind(facts.get("kind", "")), "reason": reasons.RESEND.get(facts.get("reason", ""), "–")}


def _text(facts: Facts) -> Mapping[str, Text]:
    return {**_kind(facts), "language": dict(settings.LANGUAGES).get(facts.get("language", ""), "–")}


def _result(facts: Facts) -> Mapping[str, Text]:
    return {"result": words.of_result(facts.get("outcome", ""), facts.get("phase", ""), facts.get("code", "")) or "–"}


def _switched(facts: Facts) -> Text:
    if facts.get("is_on"):
        return _("%(who)s set an automatic trigger: %(kind)s, on")
    return _("%(who)s set an automatic trigger: %(kind)s, off")


def _sms_switched(facts: Facts) -> Text:
    return _("%(who)s switched SMS on") if facts.get("is_on") else _("%(who)s switched SMS off")


def _reply_read(facts: Facts) -> Text:
    return _("%(who)s read an SMS as a stop of offers") if facts.get("is_stop") else _("%(who)s read an SMS of a client")


TELLINGS: Mapping[str, Telling] = {
    "message.stop": Telling(Kind.MESSAGES, "mail-off", lazy("%(who)s stopped a message: %(kind)s"), _kind),
    "message.resume": Telling(Kind.MESSAGES, "mail", lazy("%(who)s let a stopped message wait again: %(kind)s"), _kind),
    "message.resend": Telling(Kind.MESSAGES, "refresh", lazy("%(who)s sent a message again: %(kind)s. %(reason)s"), _kind),
    "message.let_go": Telling(Kind.MESSAGES, "send", lazy("%(who)s sent a message that was held: %(kind)s"), _kind),
    "message.closed_unknown": Telling(
        Kind.MESSAGES, "help-circle", lazy("%(who)s closed a message of unknown fate: %(kind)s"), _kind
    ),
    "client.form_linked": Telling(
        Kind.CONSENT, "qrcode", lazy("%(who)s opened the privacy form for the client's own device")
    ),
    "consent.choices_link": Telling(Kind.CONSENT, "send", lazy("%(who)s sent the client the link to the own choices")),
    "campaign.sent": Telling(
        Kind.MESSAGES, "send",
        ngettext_lazy(
            "%(who)s sent a promotion to %(chosen_count)s client, of %(clients_count)s chosen",
            "%(who)s sent a promotion to %(chosen_count)s clients, of %(clients_count)s chosen",
            "chosen_count",
        ),
    ),
    "campaign.stopped": Telling(
        Kind.MESSAGES, "message-off",
        ngettext_lazy(
            "%(who)s stopped a promotion: %(stopped_count)s message did not leave",
            "%(who)s stopped a promotion: %(stopped_count)s messages did not leave",
            "stopped_count",
        ),
    ),
    "campaign.resumed": Telling(
        Kind.MESSAGES, "send",
        ngettext_lazy(
            "%(who)s let a promotion go on: %(count)s message still to leave",
            "%(who)s let a promotion go on: %(count)s messages still to leave",
            "count",
        ),
    ),
    "campaign.tested": Telling(Kind.MESSAGES, "mail", lazy("%(who)s sent a promotion as a test. %(result)s"), _result),
    "plan.made": Telling(
        Kind.MESSAGES, "refresh",
        ngettext_lazy("%(who)s had messages planned: %(count)s new", "%(who)s had messages planned: %(count)s new", "count"),
    ),
    "sending.changed": Telling(
        Kind.SETTINGS, "server", lazy("%(who)s changed the way mail is sent: %(fields)s"), fields_of(MailServer, _FIELDS)
    ),
    "sending.removed": Telling(Kind.SETTINGS, "server", lazy("%(who)s removed the mail server")),
    "sending.tested": Telling(Kind.SETTINGS, "server", lazy("%(who)s sent a test mail. %(result)s"), _result),
    "mailbox.changed": Telling(
        Kind.SETTINGS, "server", lazy("%(who)s changed the mailbox for returned mail: %(fields)s"), fields_of(Mailbox, _FIELDS)
    ),
    "mailbox.tested": Telling(Kind.SETTINGS, "server", lazy("%(who)s tried the mailbox for returned mail. %(result)s"), _result),
    "mailbox.forgotten": Telling(
        Kind.SETTINGS, "mail-off", lazy("%(who)s deleted the mailbox for returned mail from the settings")
    ),
    "reminder.times_set": Telling(Kind.SETTINGS, "bell", lazy("%(who)s set when reminders leave")),
    "reminder.services_set": Telling(
        Kind.SETTINGS, "bell",
        ngettext_lazy(
            "%(who)s set the reminders of %(count)s service",
            "%(who)s set the reminders of %(count)s services",
            "count",
        ),
    ),
    "reminder.client_set": Telling(Kind.CARDS, "bell", lazy("%(who)s set which reminders the client gets")),
    "text.saved": Telling(Kind.SETTINGS, "mail", lazy("%(who)s wrote the text of a message: %(kind)s (%(language)s)"), _text),
    "text.reset": Telling(
        Kind.SETTINGS, "mail", lazy("%(who)s put the original text of a message in force: %(kind)s (%(language)s)"), _text
    ),
    "sms.changed": Telling(
        Kind.SETTINGS, "device-mobile", lazy("%(who)s changed the way SMS are sent: %(fields)s"),
        fields_of(SmsAccount, _SMS_FIELDS),
    ),
    "sms.switched": Telling(Kind.SETTINGS, "device-mobile", _sms_switched),
    "sms.tested": Telling(Kind.SETTINGS, "device-mobile", lazy("%(who)s sent a test SMS. %(result)s"), _result),
    "sms.received": Telling(Kind.MESSAGES, "message", lazy("%(who)s took in an SMS from a client")),
    "sms.reply_read": Telling(Kind.MESSAGES, "message", _reply_read),
    "message.not_delivered": Telling(
        Kind.MESSAGES, "message-x", lazy("%(who)s noted that a message was not delivered: %(kind)s"), _kind
    ),
    "trigger.changed": Telling(Kind.SETTINGS, "bell", _switched, _kind),
    "salon.restored": Telling(
        Kind.SETTINGS, "history",
        ngettext_lazy(
            "%(who)s held %(held_count)s message after a restore from a backup",
            "%(who)s held %(held_count)s messages after a restore from a backup",
            "held_count",
        ),
    ),
    "salon.released": Telling(Kind.SETTINGS, "send", lazy("%(who)s let messages leave again after the restore")),
    "demo.filled": Telling(
        Kind.SETTINGS, "sparkles",
        ngettext_lazy(
            "%(who)s filled the salon with an example: %(clients_count)s client",
            "%(who)s filled the salon with an example: %(clients_count)s clients",
            "clients_count",
        ),
    ),
}  # fmt: skip


def _messages(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    """To whom, and the messages on the card."""
    rows = list(access.messages_for(user).filter(pk__in=ids))
    cards = {row.client.pk: row.client for row in rows if row.client}
    names = clients_access.contacts_of(user, cards.values(), Salon.objects.current(), now=now)
    return {
        row.pk: Named(names[row.client_id].name, reverse("notifications:of_client", args=[row.client_id]))
        for row in rows
        if row.client_id in names
    }


def _campaigns(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    if not user.may(May.SEE_MESSAGES):
        return {}
    rows = Campaign.objects.filter(pk__in=ids).values_list("pk", "title")
    return {pk: Named(title, reverse("notifications:campaign", args=[pk])) for pk, title in rows}


def _mail_server(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    return dict.fromkeys(ids, Named(_("Sending"), reverse("notifications:sending")))


def _mailbox(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    return dict.fromkeys(ids, Named(_("Returned mail"), reverse("notifications:mailbox")))


def register() -> None:
    """Say how the codes around messages are told."""
    names = {Message: _messages, Campaign: _campaigns, MailServer: _mail_server, Mailbox: _mailbox}
    activity.register(TELLINGS, {model._meta.label_lower: name for model, name in names.items()})
