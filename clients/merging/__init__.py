"""Two to five cards made one, shown before, undone for 30 days: plan, show, execute, undo."""
