"""Mail that came back: the reports of mail servers, read from a mailbox of the salon or told by another system."""
