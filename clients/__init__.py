"""The person: card, consent ledger, notes, search and import."""
