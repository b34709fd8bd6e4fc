"""The words around other systems: kinds, what came of a request, and the sentences in the bell."""

from collections.abc import Iterable, Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from clients import ledger
from notifications.systems import preferences
from notifications.systems.line import Answer
from notifications.systems.models import Delivery, OtherSystem
from salon.core import notices

_CODES: Mapping[str, str | Promise] = {
    "timeout": lazy("It did not answer in time."),
    "refused": lazy("Nothing answers at this address."),
    "dropped": lazy("The connection broke."),
    "dns": lazy("The name of the address is not known."),
    "private": lazy("The name leads into a network of your own. Events go to public addresses only."),
    "tls": lazy("Its certificate is not valid."),
    "url": lazy("The address cannot be used."),
    "redirect": lazy("It sent us on to another address (%(status)s). Enter that one."),
}
_OFF: Mapping[str, str | Promise] = {
    OtherSystem.Off.BY_HAND: lazy("Switched off. What changes meanwhile is kept, and told when it is on again."),
    OtherSystem.Off.FAILING: lazy(
        "Switched off after ten tries over three days. Nothing is lost: what waits is told when it is on again."
    ),
    OtherSystem.Off.UNREADABLE: lazy(
        "Switched off: its secret cannot be read with the key of this installation. Make a new secret, then switch it on."
    ),
}


def kinds(names: Iterable[str]) -> str:
    """Return the kinds of messages in words, with commas."""
    return ", ".join(str(ledger.PURPOSES[preferences.KINDS[name]]) for name in names)


def of_refusals(channel: str) -> str:
    """Return the heading over what somebody refuses by a channel."""
    return _("No by e-mail to") if channel == "email" else _("No by SMS to")


def refused(said: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line for each channel: what the client refuses by it, all marketing in two words."""
    lines = []
    for channel in ("email", "sms"):
        names = [kind for kind, way in said if way == channel]
        marketing = [name for name in names if preferences.KINDS[name].startswith("mkt.")]
        if len(marketing) == len([one for one in preferences.KINDS.values() if one.startswith("mkt.")]):
            rest = kinds(name for name in names if name not in marketing)
            text = f"{ledger.PURPOSES['*']}, {rest}" if rest else str(ledger.PURPOSES["*"])
        else:
            text = kinds(names)
        if names:
            lines.append(_("%(channel)s: %(kinds)s") % {"channel": ledger.CHANNELS[channel], "kinds": text})
    return lines


def of_answer(answer: Answer) -> str:
    """Return what came of a request, as a sentence."""
    if answer.is_taken:
        return _("It took the test (%(status)s).") % {"status": answer.status}
    return of_code(answer.code, answer.status)


def of_code(code: str, status: int | None) -> str:
    """Return why a try failed, "" for one that did not."""
    if code == "status":
        if status in {401, 403}:
            return _("It refused the signature or the access (%(status)s). Compare the secrets.") % {"status": status}
        if status in {404, 410}:
            return _("It does not know the address (%(status)s).") % {"status": status}
        return _("It answered with an error (%(status)s).") % {"status": status}
    return str(_CODES[code]) % {"status": status} if code in _CODES else ""


def off(system: OtherSystem) -> str:
    """Return why nothing goes to a system, "" while it is on."""
    return "" if system.is_on else str(_OFF.get(system.off_reason, ""))


def of_delivery(row: Delivery) -> str:
    """Return how the last try went, or what it waits for."""
    if row.state == Delivery.State.WAITING and not row.code:
        return _("Not tried yet.") if row.try_count == 0 else _("Being told.")
    return of_code(row.code, row.status)


def _failed(facts: Mapping[str, int]) -> str:
    system = OtherSystem.objects.filter(pk=facts.get("system", 0)).values_list("name", flat=True).first() or "–"
    count = facts.get("count", 0)
    words = ngettext(
        "%(system)s could not be reached and is switched off. %(count)s change waits for it.",
        "%(system)s could not be reached and is switched off. %(count)s changes wait for it.",
        count,
    )
    return words % {"system": system, "count": count}


def _inform(facts: Mapping[str, int]) -> str:
    count = facts.get("count", 0)
    words = ngettext(
        "Tell your other systems: %(count)s No waits to be passed on.",
        "Tell your other systems: %(count)s times No wait to be passed on.",
        count,
    )
    found = [words % {"count": count}] if count or not facts.get("erased") else []
    if erased := facts.get("erased", 0):
        words = ngettext(
            "Delete %(count)s erased client in your other systems too.",
            "Delete %(count)s erased clients in your other systems too.",
            erased,
        )
        found.append(words % {"count": erased})
    return " ".join(found)


def register() -> None:
    """Say how the notices about other systems are told."""
    notices.register("system_failed", icon="plug-connected-x", words=_failed)
    notices.register("systems_inform", icon="clipboard", words=_inform)
