"""Forgetting a person: what that takes (`plan`), the act (`act`), and what must survive a restore (`journal`)."""
