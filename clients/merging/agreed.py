"""The consents of a merge as lines of its page: what each purpose and channel will be, and why. Alike ones are one line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from clients import fold, ledger
from clients.fold import State
from clients.merging.consents import Outlook
from salon.core.templatetags.house import as_day

Words = str | Promise
REASONS: Mapping[str, Words] = {
    "no": lazy("A “No” always wins"),
    "one": lazy("Answered on one card"),
    "same": lazy("Same on both"),
    "address": lazy("The Yes was for another address"),
    "held": lazy("No card had this Yes"),
    "": lazy("Nobody asked"),
}
_WORDS: Mapping[State, Words] = {
    State.GRANTED: lazy("Yes"), State.WITHDRAWN: lazy("No"), State.PENDING: lazy("Waiting for the client"),
    State.SOFT_OPT_IN: lazy("Not asked"), State.UNKNOWN: lazy("Not asked"),
}  # fmt: skip
_MARKETING: Mapping[str, Words] = {"email": lazy("Marketing by e-mail"), "sms": lazy("Marketing by SMS")}
_SIGNS: Mapping[State, str] = {State.GRANTED: "yes", State.WITHDRAWN: "no", State.PENDING: "wait"}


@dataclass(frozen=True)
class Line:
    """One line: what it is about, what it will be, since when (nothing where nobody was asked), and why."""

    label: Words
    word: Words
    sign: str
    day: str
    reason: str
    why: Words

    @property
    def is_no(self) -> bool:
        """Return whether a No wins over the other card."""
        return self.reason in {"no", "held"}


def lines(outlooks: Sequence[Outlook]) -> list[Line]:
    """Return the lines: marketing of each channel, then what else somebody was asked."""
    found: list[Line] = []
    for channel in fold.CHANNELS:
        kinds = [one for one in outlooks if one.purpose in fold.MARKETING and one.channel == channel]
        found += _grouped(kinds, channel, whole=str(_MARKETING[channel]))
    rest = [one for one in outlooks if one.purpose not in fold.MARKETING and one.reason]
    found += [_line(_named([one], one.channel), [one]) for one in rest]
    return found


def _grouped(kinds: Sequence[Outlook], channel: str, *, whole: str) -> Iterable[Line]:
    groups: dict[tuple[State, str], list[Outlook]] = {}
    for one in kinds:
        groups.setdefault((one.state, one.reason), []).append(one)
    if len(groups) == 1:
        return [_line(whole, kinds)]
    return [_line(_named(group, channel), group) for group in groups.values() if group[0].reason]


def _named(group: Sequence[Outlook], channel: str) -> str:
    purposes = ", ".join(str(ledger.PURPOSES[one.purpose]) for one in group)
    words = purposes[:1].upper() + purposes[1:]
    return f"{words} · {ledger.CHANNELS[channel]}" if channel else words


def _line(label: Words, group: Sequence[Outlook]) -> Line:
    first = group[0]
    moments = [one.reading.entry.effective_at for one in group if one.reading.entry and one.reason not in {"held", ""}]
    is_on = first.purpose in fold.SERVICE and first.state is not State.WITHDRAWN
    word, sign = (_WORDS[State.GRANTED], "yes") if is_on else (_WORDS[first.state], _SIGNS.get(first.state, "ask"))
    return Line(label, word, sign, as_day(max(moments)) if moments else "", first.reason, REASONS[first.reason])
