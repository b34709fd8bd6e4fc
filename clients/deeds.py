"""How the acts of the client book are told on the activity page. Registered when the app starts."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext, ngettext_lazy

from clients import access, ledger, state_deeds
from clients.exporting import columns
from clients.models import CardRun, Client, ClientLink, ConsentText, Export, Import, SavedFilter, Tag, TagRun
from clients.timeline import FIELDS
from salon.core import activity
from salon.core.activity import Facts, Kind, Named, Telling, Text
from salon.core.models import Salon, User
from salon.core.roles import May

CLIENT, TAG = Client._meta.label_lower, Tag._meta.label_lower
# Who an answer comes from when nobody of the team wrote it down.
_BY_THE_HOUSE = {"address_changed", "expire", "merge_hold", "import_claim", "restrict_lift", "soft_opt_in"}
_BY_THE_PROVIDER = {"provider_stop", "provider_start", "complaint"}


def _words_for(names: Iterable[str], words: Mapping[str, Text]) -> str:
    return ", ".join(dict.fromkeys(str(words.get(name, name)) for name in names if words.get(name, name)))


def _fields(facts: Facts) -> Mapping[str, Text]:
    return {"fields": _words_for(facts.get("fields", ()), FIELDS)}


def _channel(facts: Facts) -> Mapping[str, Text]:
    return {"channel": ledger.CHANNELS.get(facts.get("channel", ""), "")}


def _existing_switched(facts: Facts) -> Text:
    if facts.get("is_on"):
        return _("%(who)s let offers go to existing clients without a Yes: %(channel)s")
    return _("%(who)s ended offers to existing clients without a Yes: %(channel)s")


def _link(facts: Facts) -> Mapping[str, Text]:
    return {"kind": dict(ClientLink.Kind.choices).get(facts.get("kind", ""), "")}


def _said(facts: Facts) -> Mapping[str, Text]:
    purposes = facts.get("purposes", ())
    is_all = len(purposes) > len(ledger.PURPOSES) // 3
    told = (
        _words_for(facts.get("kinds", ()), ledger.EVENTS),
        str(ledger.PURPOSES["*"]) if is_all else _words_for(purposes, ledger.PURPOSES),
        _words_for(facts.get("channels", ()), ledger.CHANNELS),
    )
    return {"said": " · ".join(words for words in told if words)}


def _client(facts: Facts) -> Text:
    return _("The client")


def _giver(facts: Facts) -> Text:
    kinds = set(facts.get("kinds", ()))
    if kinds & _BY_THE_PROVIDER:
        return _("The mail server")
    return activity.house(facts) if kinds & _BY_THE_HOUSE else _("The client")


def _usual_staff(facts: Facts) -> Text:
    return _("%(who)s set the usual stylist: %(staff)s") if facts.get("staff") else _("%(who)s set no usual stylist")


def _imported(facts: Facts) -> Text:
    new, filled = facts.get("new_count", 0), facts.get("updated_count", 0)
    words = ngettext("%(who)s imported %(new_count)s new client", "%(who)s imported %(new_count)s new clients", new)
    return words + ngettext(", %(updated_count)s filled in", ", %(updated_count)s filled in", filled) if filled else words


def _taken_back(facts: Facts) -> Text:
    back, kept = facts.get("taken_back_count", 0), facts.get("kept_count", 0)
    words = ngettext(
        "%(who)s undid an import: %(taken_back_count)s card taken back",
        "%(who)s undid an import: %(taken_back_count)s cards taken back",
        back,
    )
    return words + ngettext(", %(kept_count)s not", ", %(kept_count)s not", kept) if kept else words


def _preset(facts: Facts) -> Mapping[str, Text]:
    preset = columns.PRESETS.get(facts.get("preset", ""))
    channel = _channel({"channel": facts.get("who", "")})["channel"]
    words = (str(preset.label) if preset else "", _("Yes to %(channel)s") % {"channel": channel} if channel else "")
    return {"what": ", ".join(word for word in words if word) or "–"}


def _wording(facts: Facts) -> Mapping[str, Text]:
    language = dict(settings.LANGUAGES).get(facts.get("language", ""), "")
    words = (_words_for([facts.get("purpose", "")], ledger.PURPOSES), _channel(facts)["channel"], language)
    return {"wording": ", ".join(str(word) for word in words if word)}


CARDS: Mapping[str, Telling] = {
    "client.added": Telling(Kind.CARDS, "user-plus", lazy("%(who)s made the card")),
    "client.added_many": Telling(
        Kind.LISTS, "user-plus",
        ngettext_lazy("%(who)s added %(clients_count)s client", "%(who)s added %(clients_count)s clients", "clients_count"),
    ),
    "client.filled_many": Telling(
        Kind.LISTS, "pencil",
        ngettext_lazy("%(who)s filled in %(clients_count)s card", "%(who)s filled in %(clients_count)s cards", "clients_count"),
    ),
    "client.emptied_many": Telling(
        Kind.LISTS, "arrow-back-up",
        ngettext_lazy(
            "%(who)s took back what an import had filled in on %(clients_count)s card",
            "%(who)s took back what an import had filled in on %(clients_count)s cards",
            "clients_count",
        ),
    ),
    "client.removed_many": Telling(
        Kind.LISTS, "trash",
        ngettext_lazy(
            "%(who)s removed %(clients_count)s card that an import had made",
            "%(who)s removed %(clients_count)s cards that an import had made",
            "clients_count",
        ),
    ),
    "client.edited": Telling(Kind.CARDS, "pencil", lazy("%(who)s changed the details: %(fields)s"), _fields),
    "client.note_written": Telling(Kind.CARDS, "note", lazy("%(who)s wrote the client note")),
    "client.tagged": Telling(Kind.CARDS, "tag", lazy("%(who)s added the tag %(tag)s"), refs={"tag": TAG}),
    "client.untagged": Telling(Kind.CARDS, "tag", lazy("%(who)s took off the tag %(tag)s"), refs={"tag": TAG}),
    "clients.tagged": Telling(
        Kind.CARDS, "tag",
        ngettext_lazy(
            "%(who)s added the tag %(tag)s to %(clients_count)s client",
            "%(who)s added the tag %(tag)s to %(clients_count)s clients",
            "clients_count",
        ),
        refs={"tag": TAG},
    ),
    "clients.untagged": Telling(
        Kind.CARDS, "tag",
        ngettext_lazy(
            "%(who)s took the tag %(tag)s off %(clients_count)s client",
            "%(who)s took the tag %(tag)s off %(clients_count)s clients",
            "clients_count",
        ),
        refs={"tag": TAG},
    ),
    "tags.undone": Telling(
        Kind.CARDS, "arrow-back-up",
        ngettext_lazy(
            "%(who)s undid the tags of %(clients_count)s client",
            "%(who)s undid the tags of %(clients_count)s clients",
            "clients_count",
        ),
    ),
    "filter.saved": Telling(Kind.CARDS, "filter", lazy("%(who)s saved a filter of the list")),
    "filter.deleted": Telling(Kind.CARDS, "filter", lazy("%(who)s deleted a saved filter")),
    "filter.restored": Telling(Kind.CARDS, "filter", lazy("%(who)s brought a saved filter back")),
    "client.contact_added": Telling(Kind.CARDS, "phone", lazy("%(who)s added a further contact: %(channel)s"), _channel),
    "client.contact_removed": Telling(Kind.CARDS, "phone", lazy("%(who)s took off a further contact: %(channel)s"), _channel),
    "client.linked": Telling(
        Kind.CARDS, "link", lazy("%(who)s linked the card with %(other)s: %(kind)s"), _link, refs={"other": CLIENT}
    ),
    "client.unlinked": Telling(
        Kind.CARDS, "link", lazy("%(who)s took away the link with %(other)s"), refs={"other": CLIENT}
    ),
    "client.health_viewed": Telling(Kind.CARDS, "eye", lazy("%(who)s read the health note")),
    "client.health_written": Telling(Kind.CARDS, "lock", lazy("%(who)s wrote the health note")),
    "client.usual_staff_set": Telling(Kind.CARDS, "user-check", _usual_staff, refs={"staff": "appointments.staff"}),
    "address.tried_again": Telling(
        Kind.MESSAGES, "mail-check", lazy("%(who)s let an address be tried again: %(channel)s"), _channel
    ),
}  # fmt: skip
CONSENTS: Mapping[str, Telling] = {
    "client.marketing_paused": Telling(Kind.CONSENT, "clock-pause", lazy("%(who)s paused marketing"), nobody=_client),
    "client.marketing_resumed": Telling(
        Kind.CONSENT, "clock-pause", lazy("%(who)s ended the pause of marketing"), nobody=_client
    ),
    "consent.recorded": Telling(
        Kind.CONSENT, "shield-check", lazy("%(who)s changed the consents: %(said)s"), _said, nobody=_giver
    ),
    "consent.recorded_many": Telling(
        Kind.CONSENT, "shield-check",
        ngettext_lazy(
            "%(who)s changed the consents of %(clients_count)s client",
            "%(who)s changed the consents of %(clients_count)s clients",
            "clients_count",
        ),
    ),
    "consent.voided": Telling(Kind.CONSENT, "arrow-back-up", lazy("%(who)s took back a slip in the consents")),
    "consent.link_again": Telling(Kind.CONSENT, "send", lazy("%(who)s had the link to confirm sent once more")),
    "consent.sheet_kept": Telling(Kind.CONSENT, "file-text", lazy("%(who)s kept a signed privacy form")),
    "consent.sheet_viewed": Telling(Kind.CONSENT, "eye", lazy("%(who)s looked at a signed privacy form")),
    "existing.switched": Telling(Kind.SETTINGS, "shield-check", _existing_switched, _channel),
    "wording.published": Telling(
        Kind.SETTINGS, "file-text", lazy("%(who)s published a new wording: %(wording)s"), _wording
    ),
}  # fmt: skip
LISTS: Mapping[str, Telling] = {
    "clients.labels_shown": Telling(
        Kind.LISTS, "printer",
        ngettext_lazy(
            "%(who)s opened labels of %(clients_count)s client to print",
            "%(who)s opened labels of %(clients_count)s clients to print",
            "clients_count",
        ),
    ),
    "import.uploaded": Telling(
        Kind.LISTS, "upload",
        ngettext_lazy(
            "%(who)s uploaded a list of %(rows_count)s row", "%(who)s uploaded a list of %(rows_count)s rows", "rows_count"
        ),
    ),
    "import.checked": Telling(Kind.LISTS, "list", lazy("%(who)s had a list checked")),
    "import.started": Telling(Kind.LISTS, "file-spreadsheet", lazy("%(who)s started an import")),
    "clients.imported": Telling(Kind.LISTS, "circle-check", _imported),
    "import.undo_started": Telling(Kind.LISTS, "arrow-back-up", lazy("%(who)s began to undo an import")),
    "import.undone": Telling(Kind.LISTS, "arrow-back-up", _taken_back),
    "import.discarded": Telling(Kind.LISTS, "trash", lazy("%(who)s threw a list away")),
    "import.failed": Telling(Kind.LISTS, "alert-triangle", lazy("An import by %(who)s stopped before its end")),
    "export.started": Telling(
        Kind.LISTS, "file-spreadsheet",
        ngettext_lazy(
            "%(who)s asked for a file of %(rows_count)s client: %(what)s",
            "%(who)s asked for a file of %(rows_count)s clients: %(what)s",
            "rows_count",
        ),
        _preset,
    ),
    "export.started_again": Telling(Kind.LISTS, "refresh", lazy("%(who)s started an export again")),
    "clients.exported": Telling(
        Kind.LISTS, "file-spreadsheet",
        ngettext_lazy(
            "%(who)s exported %(rows_count)s client: %(what)s", "%(who)s exported %(rows_count)s clients: %(what)s", "rows_count"
        ),
        _preset,
    ),
    "export.fetched": Telling(
        Kind.LISTS, "download",
        ngettext_lazy(
            "%(who)s downloaded a file of %(rows_count)s client",
            "%(who)s downloaded a file of %(rows_count)s clients",
            "rows_count",
        ),
    ),
    "export.failed": Telling(Kind.LISTS, "alert-triangle", lazy("An export by %(who)s stopped before its end")),
    "export.deleted": Telling(Kind.LISTS, "trash", lazy("%(who)s deleted the file of an export, which was a day old")),
}  # fmt: skip


def _clients(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    rows = access.clients_for(user).filter(pk__in=ids)
    names = access.contacts_of(user, rows, Salon.objects.current(), now=now)
    return {pk: Named(contacts.name, reverse("clients:card", args=[pk])) for pk, contacts in names.items()}


def _tags(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    return {pk: Named(name) for pk, name in Tag.objects.filter(pk__in=ids).values_list("pk", "name")}


def _filters(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    rows = SavedFilter.objects.filter(pk__in=ids).values_list("pk", "name")
    return {pk: Named(name, reverse("clients:filters")) for pk, name in rows}


def _imports(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    if not user.may(May.IMPORT_CLIENTS):
        return {}
    rows = Import.objects.filter(pk__in=ids).values_list("pk", "title")
    # The name of a file is forgotten after a week.
    return {pk: Named(title or _("List %(number)s") % {"number": pk}, reverse("clients:import", args=[pk])) for pk, title in rows}


def _exports(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    """Return what they were for. A file is for nobody but whom asked for it: only they are led to its page."""
    found = {}
    for pk, by, purpose in Export.objects.filter(pk__in=ids).values_list("pk", "by", "purpose"):
        url = reverse("clients:export_job", args=[pk]) if by == user.pk and user.may(May.EXPORT) else ""
        found[pk] = Named(purpose or _("Export %(number)s") % {"number": pk}, url)
    return found


def _wordings(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    rows = ConsentText.objects.filter(pk__in=ids).values_list("pk", "version")
    return {pk: Named(version, reverse("clients:wording", args=[pk])) for pk, version in rows}


def _find(user: User, text: str, now: dt.datetime) -> Iterable[int]:
    found = access.found_for(user, text, Salon.objects.current(), now=now)
    return found.order_by("sort_name", "pk").values_list("pk", flat=True)[: activity.MOST_CLIENTS]


NAMES: Mapping[str, Callable[[User, Collection[int], dt.datetime], Mapping[int, Named]]] = {
    CLIENT: _clients, TAG: _tags, Import._meta.label_lower: _imports, Export._meta.label_lower: _exports,
    ConsentText._meta.label_lower: _wordings, SavedFilter._meta.label_lower: _filters,
}  # fmt: skip


def register() -> None:
    """Say how the codes of the client book are told, and whom a text finds."""
    runs = (CardRun._meta.label_lower, TagRun._meta.label_lower)
    activity.register({**CARDS, **CONSENTS, **LISTS, **state_deeds.STATES}, NAMES, sums=runs)
    activity.register_find(_find)
