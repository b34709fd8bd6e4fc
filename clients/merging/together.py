"""Sure pairs in which nothing contradicts, merged in one go: each in a transaction of its own, so that one cannot keep the rest.

Which pairs these are says `clients.duplicates.together`; what somebody should look at first is left for the page of a merge.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field

from clients.duplicates import together
from clients.duplicates.together import Ready
from clients.merging import merges, warnings
from clients.models import DuplicatePair, HealthNote, Merge
from salon.core.errors import Refused
from salon.core.models import User

# One press of the button: a few seconds.
MOST = 50


@dataclass
class Done:
    """What came of it: the merges, and the pairs that are left to be looked at one by one."""

    merged: list[Merge] = field(default_factory=list)
    left: list[DuplicatePair] = field(default_factory=list)


def merge_all(pairs: Collection[int], *, by: User, now: dt.datetime) -> Done:
    """Merge those of these pairs (ids, as somebody saw them) that still are without any conflict, and return what came of it.

    Left are a pair that warns of something, two health notes, and a card that changed meanwhile. Each merge can be undone.
    """
    done = Done()
    for one in [one for one in together.ready(by) if one.pair.pk in pairs][:MOST]:
        if _is_for_a_person(one, now):
            done.left.append(one.pair)
            continue
        seen = {card.pk: card.version for card in (one.main, one.other)}
        try:
            done.merged.append(merges.merge(list(seen), main=one.main.pk, by=by, now=now, versions=seen))
        except Refused:
            done.left.append(one.pair)
    return done


def _is_for_a_person(one: Ready, now: dt.datetime) -> bool:
    cards = (one.main, one.other)
    return bool(warnings.of(cards, now=now)) or HealthNote.objects.filter(client__in=cards).count() > 1
