"""What Twilio's error codes say: about the number, about a stop, about us; and the sentence for each that a person may meet.

Source: Twilio's error dictionary; what follows from each stands in docs/flow.md. Knows no message.
"""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

# No SMS will ever reach this number: it is none, a landline, or one that no operator has.
NO_SUCH_NUMBER = frozenset({"21211", "21217", "21614", "21635", "30006"})
# A second time it counts as the same.
UNKNOWN_HANDSET = frozenset({"30005"})
# Whoever has the number sent STOP to the sender.
STOPPED = frozenset({"21610"})
# The operator or the person blocks us: no advertising any more.
BLOCKED = frozenset({"30004"})
# The account, the sender or the text is at fault, never the number.
OURS = frozenset({"21408", "21603", "21606", "21612", "21617", "21657", "21659", "30002", "30007", "30032", "30034", "30042"})
# Among them, those about the sender itself: it fails whatever is sent with it.
SENDER = frozenset({"21603", "21606", "21657", "21659"})
# It has surely not arrived, and will not. Any other reason may still be followed by a delivery.
LOST = NO_SUCH_NUMBER | UNKNOWN_HANDSET | BLOCKED | OURS | {"30003", "30036"}
# Nobody can sign in, or may not any more: the same for every message.
SHUT = frozenset({"20003", "20005", "20404", "20008"})
TOO_MANY = frozenset({"20429"})

WORDS: Mapping[str, Callable[[], str]] = {
    "20003": lambda: _("The SMS provider does not accept the account or its key (20003)."),
    "20005": lambda: _("The account at the SMS provider is not active (20005)."),
    "20404": lambda: _("The SMS provider does not know this account (20404)."),
    "20008": lambda: _("These are test keys of the SMS provider: nothing leaves with them (20008)."),
    "20429": lambda: _("The SMS provider asked to send more slowly (20429)."),
    "21211": lambda: _("This is not a phone number that exists (21211)."),
    "21217": lambda: _("This is not a phone number that exists (21217)."),
    "21614": lambda: _("This number cannot get SMS (21614)."),
    "21635": lambda: _("This is a landline: it cannot get SMS (21635)."),
    "21610": lambda: _("Whoever has this number answered STOP (21610)."),
    "21408": lambda: _("The account may not send to this country yet. It is allowed in the provider's console (21408)."),
    "21603": lambda: _("No sender is set for SMS (21603)."),
    "21606": lambda: _("The sender cannot send SMS to this number (21606)."),
    "21612": lambda: _("This sender reaches no number of this country (21612)."),
    "21617": lambda: _("The text is too long for an SMS (21617)."),
    "21657": lambda: _("The name of the sender is not registered in this country (21657)."),
    "21659": lambda: _("The sender is no number of this account (21659)."),
    "30002": lambda: _("The account at the SMS provider was suspended (30002)."),
    "30003": lambda: _("The phone could not be reached (30003)."),
    "30004": lambda: _("The phone or its operator blocks our messages (30004)."),
    "30005": lambda: _("The operator does not know this number (30005)."),
    "30006": lambda: _("This number cannot get SMS (30006)."),
    "30007": lambda: _("The operator took the text for spam (30007)."),
    "30008": lambda: _("The operator did not say why it was not delivered (30008)."),
    "30032": lambda: _("The sender's number is not verified (30032)."),
    "30034": lambda: _("The sender's number is not registered (30034)."),
    "30036": lambda: _("It could not be delivered in time (30036)."),
    "30042": lambda: _("The operator does not accept this sender (30042)."),
    "201": lambda: _("The SMS provider took the message."),
    "403": lambda: _("Reports and answers by SMS are refused: the auth token or the public address is not the right one (403)."),
    "no_account": lambda: _("No SMS account is entered yet."),
    "absent": lambda: _("The SMS provider has no such message."),
    "callback": lambda: _("The SMS provider reported it."),
    "listed": lambda: _("The SMS provider has it in its list."),
}
