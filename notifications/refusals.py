"""Why the gate refused somebody, in words that say since when. Read by `why`, by pages and campaigns; decides nothing."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients import existing
from clients.fold import NEGATIVE
from clients.models import ConsentEvent
from notifications import gate, reasons
from salon.core.templatetags.house import as_day

# Reasons behind which the ledger stands.
_OF_CONSENT = frozenset({"consent_missing", "marketing_objection"})


def sentence(reason: str, event: ConsentEvent | None = None, facts: gate.Facts | None = None, *, channel: str = "") -> str:
    """Return the sentence for the reason against an advertising message.

    `event` is the line of the ledger that the answer stands on, with its `actor` loaded, `facts` what was decided on;
    without them `channel` says by which way it was to go.
    """
    if reason in _OF_CONSENT and event is not None:
        return _said(event)
    if reason == "consent_missing" and (facts is None or facts.consent == "unknown"):
        return _("Not asked.")
    if reason == "frequency_cap" and facts is not None:
        return _enough(facts)
    return str(reasons.sentence(reason, facts.channel if facts else channel))


def _said(event: ConsentEvent) -> str:
    values = {
        "date": as_day(event.effective_at),
        "how": event.get_source_display(),
        "name": event.actor.name if event.actor else "",
    }
    if event.event == existing.EVENT:
        return _("Not asked: told of offers on %(date)s and did not refuse.") % values
    is_clicked = event.source == ConsentEvent.Source.OTHER  # nobody was asked how it came
    if event.event not in NEGATIVE:
        return _("Yes since %(date)s, but it waits for the client's confirmation.") % values
    if is_clicked:
        return (_("No since %(date)s (by %(name)s).") if values["name"] else _("No since %(date)s.")) % values
    return (_("No since %(date)s (%(how)s, by %(name)s).") if values["name"] else _("No since %(date)s (%(how)s).")) % values


def _enough(facts: gate.Facts) -> str:
    if facts.marketing_day_count >= gate.MARKETING_A_DAY:
        return _("Had an advertising message less than 24 hours ago.")
    count = facts.marketing_month_count
    text = ngettext("Had %(count)s advertising message in 30 days.", "Had %(count)s advertising messages in 30 days.", count)
    return text % {"count": count}
