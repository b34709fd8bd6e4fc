#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.management import execute_from_command_line

from salon import preflight

NEEDS_A_SALON = {
    "after_restore", "check_invariants", "deliver", "demo", "erase_due", "export_clients", "find_duplicates", "import_clients",
    "plan", "rebuild_standings", "setup_link", "undo_import", "why",
}  # fmt: skip


def main() -> None:
    """Run the command named on the command line; one that works on a salon only where there is one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.settings")
    if sys.argv[1:2] and sys.argv[1] in NEEDS_A_SALON:
        try:
            preflight.check_installed()
        except preflight.Unready as error:
            sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
