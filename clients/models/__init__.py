"""The tables of the person and of what they agreed to, under one name: rows only."""

from clients.models.blacklist import Blacklisting
from clients.models.duplicates import DuplicatePair, DuplicateSearch
from clients.models.exports import Export, ExportPart
from clients.models.health import HealthNote, HealthNoteQuerySet
from clients.models.imports import Import, ImportedCard
from clients.models.ledger import Address, ConsentEvent, ConsentEvidence, ConsentText, Standing, Subject
from clients.models.lists import CardRun, SavedFilter, TagRun
from clients.models.person import CameThrough, Channel, Client, ClientContact, ClientLink, ClientQuerySet, OpenedCard, Tag
from clients.models.sheets import SignedForm

__all__ = [
    "Address",
    "Blacklisting",
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
    "DuplicatePair",
    "DuplicateSearch",
    "Export",
    "ExportPart",
    "HealthNote",
    "HealthNoteQuerySet",
    "Import",
    "ImportedCard",
    "OpenedCard",
    "SavedFilter",
    "SignedForm",
    "Standing",
    "Subject",
    "Tag",
    "TagRun",
]
