"""What the search box can do besides finding a client: the acts and pages of the house, found by their words.

One table, like that of the places. A house test holds each entry against the right that its page asks for.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from salon.core.models import User
from salon.core.roles import May

SHOWN = 4
# A letter alone begins a name; it calls no command.
SHORTEST = 2


@dataclass(frozen=True)
class Command:
    """One act or page. `words` are further words that find it; `url` is the name of its address."""

    label: str | Promise
    icon: str
    url: str
    act: May
    words: str | Promise = ""

    @property
    def path(self) -> str:
        """Return its address."""
        return reverse(self.url)


# The first that a role has are offered before anything is typed.
COMMANDS: Sequence[Command] = (
    Command(_("New appointment"), "calendar-plus", "appointments:book", May.BOOK, _("book visit walk-in")),
    Command(_("New client"), "user-plus", "clients:add", May.EDIT_CLIENTS, _("add create card")),
    Command(_("Import a list"), "upload", "clients:imports", May.IMPORT_CLIENTS, _("upload Excel CSV contacts")),
    Command(_("Export to Excel"), "file-spreadsheet", "clients:export", May.EXPORT, _("download list file")),
    Command(_("Calendar"), "calendar-event", "appointments:today", May.SEE_CALENDAR, _("today day appointments")),
    Command(_("Clients"), "users", "clients:list", May.SEE_CLIENTS, _("list book")),
    Command(_("Messages"), "message", "notifications:list", May.SEE_MESSAGES, _("reminders outbox waiting sent")),
    Command(_("Campaigns"), "send", "notifications:campaigns", May.SEE_MESSAGES, _("promotions offers marketing")),
    Command(_("Settings"), "settings", "core:settings", May.SEE_CALENDAR),
    Command(_("Salon"), "building-store", "core:salon", May.READ_SETTINGS, _("settings profile address")),
    Command(_("Team"), "users", "core:team", May.READ_SETTINGS, _("settings roles colleagues accounts")),
    Command(_("Invite to the team"), "user-plus", "core:invite", May.EDIT_TEAM, _("colleague new account")),
    Command(_("Activity"), "history", "core:activity", May.SEE_ACTIVITY, _("settings who what log trail")),
    Command(_("Services"), "scissors", "appointments:services", May.READ_SETTINGS, _("settings prices duration")),
    Command(_("Staff and hours"), "clock", "appointments:staff", May.READ_SETTINGS, _("settings working times")),
    Command(
        _("Automatic triggers"),
        "bell",
        "notifications:triggers",
        May.READ_SETTINGS,
        _("settings reminders confirmations notifications"),
    ),
    Command(_("Sending"), "send", "notifications:sending", May.READ_SETTINGS, _("settings mail server SMTP e-mail")),
    Command(_("Pause all sending"), "clock-pause", "notifications:pause", May.READ_SETTINGS, _("settings stop hold emergency")),
    Command(
        _("Returned mail"), "mail-x", "notifications:mailbox", May.READ_SETTINGS, _("settings bounces mailbox IMAP undelivered")
    ),
    Command("SMS", "device-mobile", "notifications:sms", May.READ_SETTINGS, _("settings Twilio text messages price budget")),
    Command(
        _("Other systems"), "plug", "notifications:systems", May.EDIT_SENDING, _("settings webhook connection Treatwell API")
    ),
    Command(_("Other systems to tell"), "clipboard", "notifications:inform", May.SEE_MESSAGES, _("refusals checklist pass on")),
    Command(_("What is kept"), "hourglass", "clients:privacy", May.READ_SETTINGS, _("settings privacy retention deleted")),
    Command(_("Wording"), "file-text", "clients:wordings", May.READ_SETTINGS, _("settings consent privacy texts")),
    Command(_("Retention"), "calendar-x", "clients:retention", May.READ_SETTINGS, _("settings privacy months deleted kept")),
    Command(_("Record of processing"), "book", "clients:processings", May.READ_SETTINGS, _("settings privacy GDPR authority")),
    Command(
        _("Requests of clients"), "clipboard", "clients:requests", May.SERVE_RIGHTS, _("settings privacy rights copy access")
    ),
    Command(_("Breaches"), "urgent", "clients:breaches", May.SERVE_RIGHTS, _("settings privacy lost stolen 72 hours")),
    Command(_("Deleted clients"), "trash", "clients:deleted", May.DELETE_CLIENTS, _("erased bring back")),
    Command(_("Restricted cards"), "lock", "clients:restricted", May.SERVE_RIGHTS, _("privacy article 18")),
    Command(_("System health"), "heartbeat", "notifications:health", May.SEE_HEALTH, _("settings problems status")),
    Command(_("Notices"), "bell", "core:notices", May.SEE_CALENDAR, _("bell news")),
    Command(
        _("Language and display"),
        "user-cog",
        "core:me",
        May.SEE_CALENDAR,
        _("settings own theme dark density keyboard name"),
    ),
    Command(_("Sign-in security"), "shield-lock", "core:security", May.SEE_CALENDAR, _("settings second factor codes sessions")),
    Command(_("Change password"), "key", "account_change_password", May.SEE_CALENDAR, _("settings own account")),
)


def first(user: User) -> list[Command]:
    """Return what is offered to `user` before anything is typed."""
    return [command for command in COMMANDS if user.may(command.act)][:SHOWN]


def matching(user: User, text: str, fold: Callable[[str], str]) -> list[Command]:
    """Return the first commands of `user` of which every word of `text` begins a word, in any language of the house.

    `fold` makes words alike that differ in case and accents.
    """
    if len(text.strip()) < SHORTEST:
        return []
    asked, found = fold(text).split(), []
    for command in COMMANDS:
        if not user.may(command.act):
            continue
        known = _words(fold)[command.url]
        if any(_begin(asked, label | words) for label, words in known):
            found.append((not any(_begin(asked, label) for label, _others in known), command))
    # What is called so comes before what is only about it; else the order is that of the table.
    return [command for _is_about, command in sorted(found, key=lambda one: one[0])][:SHOWN]


def _begin(asked: Sequence[str], words: frozenset[str]) -> bool:
    return all(any(word.startswith(part) for word in words) for part in asked)


@lru_cache(maxsize=2)
def _words(fold: Callable[[str], str]) -> Mapping[str, Sequence[tuple[frozenset[str], frozenset[str]]]]:
    """Return the words of the label and the further words of each command, by its address, once for each language."""
    found: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = defaultdict(list)
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            for command in COMMANDS:
                label, words = (fold(str(said)).replace("-", " ").split() for said in (command.label, command.words))
                found[command.url].append((frozenset(label), frozenset(words)))
    return found
