"""Every reason and outcome code in words, for the card, the message pages and `manage.py why`. Decides nothing."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.providers.base import Outcome, explain
from notifications.providers.replies import Verdict, verdict

Words = str | Promise

# What the gate answers (`precedence.PRECEDENCE`), and what the planner and the sender write beside a state.
SENTENCES: Mapping[str, Words] = {
    "error": _("Something could not be read, so nothing was sent."),
    "hold": _("Sending is on hold for the whole salon."),
    "erased": _("The client's data was deleted."),
    "restricted": _("The client's data may not be used at present."),
    "inactive": _("The client is not active."),
    "gone": _("The visit or the client no longer exists."),
    "cancelled": _("The visit is cancelled."),
    "undone": _("The visit is not cancelled any more."),
    "over": _("The visit has begun or is over."),
    "moved": _("The visit was changed."),
    "duplicate": _("The client was told already."),
    "past": _("The visit has begun or is over."),
    "too_late": _("It is too close to the visit."),
    "not_done": _("The visit was not completed."),
    "not_the_day": _("It is not the client's birthday any more, or the client is not new."),
    "booked": _("The client has come again or has booked."),
    "asked_lately": _("The client was asked not long ago."),
    "not_chosen": _("This reminder is switched off for the service or the client."),
    "no_target": _("The salon has no page for reviews yet."),
    "answered": _("Nothing waits for this link any more."),
    "expired": _("It is too late for this message."),
    "no_address": _("No e-mail address on the card."),
    "invalid_address": _("The e-mail address does not exist, says its mail server."),
    "suppressed_all": _("This address may not be written to at all."),
    "channel_stop": _("Stopped by the client: no messages on this channel."),
    "marketing_objection": _("The client objected to advertising."),
    "consent_missing": _("No Yes for this kind of message."),
    "paused": _("The client paused all offers for a while."),
    "client_refused": _("Switched off for this client."),
    "blacklisted": _("The client is on the blacklist."),
    "minor": _("The client is too young for advertising."),
    "no_public_address": _("The salon has no public address for the links in it yet."),
    "automation_off": _("Switched off in the salon."),
    "frequency_cap": _("The client had enough messages lately."),
    "quiet_hours": _("Waits for the end of the quiet hours."),
    "same_address": _("Another of them has the same address and gets it."),
    "no_first_name": _("The text names the client, and the card has no first name."),
    "changed": _("Something changed on the card before it left."),
    "not_wanted": _("Booked without telling the client."),
    "stopped": _("Stopped by hand."),
    "halted": _("The promotion was stopped."),
    "profiling_missing": _("Found by what they did, and no Yes to that any more."),
    "stopped_held": _("Stopped by hand."),
    "sent_again": _("Its fate stayed unknown. It was sent again by hand."),
    "closed": _("Its fate stayed unknown. Closed by hand."),
    "restored": _("After a restore: it may have been sent already."),
    "sender_died": _("The sending was interrupted at the worst moment. It may have arrived."),
    "template_error": _("A word for the text is missing."),
    "provider_down": _("The mail server cannot be used at present. It is tried again."),
    "retry": _("The mail server said no for now. It is tried again."),
    "stale_decision": _("The sender was held up. It is tried again."),
    "merged_duplicate": _("Two cards became one: it is said once."),
    "address_changed": _("The address was just changed. It is tried again."),
    "channel_off": _("SMS are switched off in the salon."),
    "not_a_mobile": _("The number on the card takes no SMS."),
    "reply_waits": _("The client answered by SMS, perhaps to stop: nobody has read it yet."),
    "over_budget": _("The month's budget for SMS is used up."),
    "over_cap": _("The promotion would cost more than one may."),
    "not_taken": _("The SMS provider has no such message. It is tried again, once."),
}

# What a reason means where an SMS was meant.
OF_SMS: Mapping[str, Words] = {
    "no_address": _("No phone number on the card."),
    "invalid_address": _("The number gets no SMS, says the provider."),
    "suppressed_all": _("Nothing may be sent to this number at all."),
    "channel_stop": _("The client answered STOP: no SMS at all."),
    "provider_down": _("The SMS provider cannot be used at present. It is tried again."),
    "retry": _("The SMS provider said no for now. It is tried again."),
    "address_changed": _("The number was just changed. It is tried again."),
}
_TURNED = "turned_"
# Why a mail came back, with the status of its report behind it ("returned_5.1.1").
RETURNED = "returned_"
_OF_RETURNED: Mapping[Verdict, Words] = {
    Verdict.GONE: _("The mailbox does not exist (%(code)s)."),
    Verdict.FULL: _("The mailbox takes nothing at present (%(code)s)."),
    Verdict.LATE: _("The recipient's server could not be reached in time (%(code)s)."),
    Verdict.OURS: _("The recipient's server does not accept the sender or the mail (%(code)s)."),
    Verdict.OTHER: _("The mail could not be delivered (%(code)s)."),
}

# Why somebody sends a message of unknown fate again.
RESEND: Mapping[str, Words] = {
    "not_arrived": _("The client says it has not arrived"),
    "server_log": _("The mail server's log shows it was not sent"),
    "important": _("Better twice than never"),
}


def of_provider(reason: str, channel: str = "email") -> str:
    """Return what stands against a provider ("auth_535", as its circuit keeps it), an empty text for nothing."""
    phase, _sign, code = reason.partition("_")
    return explain(Outcome.DOWN, phase, code) or (str(sentence("provider_down", channel)) if reason else "")


def sentence(code: str, channel: str = "") -> Words:
    """Return the sentence for a reason: a code of the table, or a phase with the provider's reply ("rcpt_550").

    One that begins with "turned_" says why the message went by another channel than `channel`.
    """
    if code.startswith(_TURNED):
        return sentence(code.removeprefix(_TURNED), "email" if channel == "sms" else "sms")
    if code.startswith(RETURNED):
        status = code.removeprefix(RETURNED)
        return str(_OF_RETURNED[verdict(status)]) % {"code": status or "–"}
    if channel == "sms" and code in OF_SMS:
        return OF_SMS[code]
    if code in SENTENCES or not code:
        return SENTENCES.get(code, "")
    phase, _sign, reply = code.partition("_")
    return explain("failed", phase, reply) or code
