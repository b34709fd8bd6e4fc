"""The tables of the person and of what they agreed to, under one name: rows only."""

from clients.models.blacklist import Blacklisting
from clients.models.deletion_runs import DeletionRun
from clients.models.duplicates import DuplicatePair, DuplicateSearch
from clients.models.exports import Export, ExportPart
from clients.models.health import HealthNote, HealthNoteQuerySet
from clients.models.imports import Import, ImportedCard
from clients.models.ledger import Address, ConsentEvent, ConsentEvidence, ConsentText, Standing, Subject
from clients.models.lists import CardRun, SavedFilter, TagRun
from clients.models.merges import Merge, MergedHealthNote
from clients.models.person import CameThrough, Channel, Client, ClientContact, ClientLink, ClientQuerySet, OpenedCard, Tag
from clients.models.records import Breach, Processing
from clients.models.retention import RetentionHold, RetentionRule, RetentionWarning
from clients.models.rights import (
    Deletion,
    Erasure,
    OutsideCopy,
    Restriction,
    RightsRequest,
)
from clients.models.rules import ExistingRule
from clients.models.sheets import SignedForm

__all__ = [
    "Address",
    "Blacklisting",
    "Breach",
    "CameThrough",
    "CardRun",
    "Channel",
    "Client",
    "ClientContact",
    "ClientLink",
    "ClientQuerySet",
    "ConsentEvent",
    "ConsentEvidence",
    "ConsentText",
    "Deletion",
    "DeletionRun",
    "DuplicatePair",
    "DuplicateSearch",
    "Erasure",
    "ExistingRule",
    "Export",
    "ExportPart",
    "HealthNote",
    "HealthNoteQuerySet",
    "Import",
    "ImportedCard",
    "Merge",
    "MergedHealthNote",
    "OpenedCard",
    "OutsideCopy",
    "Processing",
    "Restriction",
    "RetentionHold",
    "RetentionRule",
    "RetentionWarning",
    "RightsRequest",
    "SavedFilter",
    "SignedForm",
    "Standing",
    "Subject",
    "Tag",
    "TagRun",
]
