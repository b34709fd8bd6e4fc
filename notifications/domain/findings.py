"""What a check found: codes and values, no words (those are in `words.py`)."""

from dataclasses import dataclass, field
from enum import StrEnum


class Part(StrEnum):
    """What a finding is about."""

    DOMAIN = "domain"
    MX = "mx"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    ALIGNMENT = "alignment"


class Level(StrEnum):
    """How much it matters; the names are those of the badges."""

    OK = "ok"
    WARN = "warn"
    TROUBLE = "trouble"


@dataclass(frozen=True)
class Finding:
    """One thing found. `name` and `line` are the record to add or to change, where there is one to name."""

    part: Part
    level: Level
    code: str
    values: dict[str, str] = field(default_factory=dict)
    name: str = ""
    line: str = ""
