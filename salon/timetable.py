"""When the clock wakes the worker. Each task looks for what is due: none is missed, and one too many does no harm."""

from typing import Any

# What, every how many seconds, and after how many seconds a call that nobody took is worth nothing.
_TASKS = (
    ("notifications.plan", 30, 30),
    ("notifications.deliver", 10, 30),
    ("notifications.mailbox", 60, 60),
    ("notifications.systems", 15, 30),
    ("notifications.tidy_systems", 3600, 3600),
    ("clients.work", 5, 10),
    ("clients.export", 5, 10),
    ("clients.duplicates", 30, 30),
    ("clients.erase", 60, 60),
    ("clients.retain", 3600, 3600),
    ("clients.tidy", 600, 600),
)
SCHEDULE: dict[str, dict[str, Any]] = {
    task: {"task": task, "schedule": float(every), "options": {"expires": expires}} for task, every, expires in _TASKS
}
