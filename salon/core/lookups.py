"""Whether there is a row that belongs to another: looked up for each row by an index, whatever a database thinks of the table.

PostgreSQL makes a join or a table in memory of EXISTS where that seems cheaper. It judges by what it last counted, and of rows
that were written since, or a value that it has not seen yet, it knows nothing: a look at one row becomes a walk over all.
"""

from typing import Any

from django.db.models import Exists


class Lookup(Exists):
    """EXISTS asked of one row after the other. For few rows beside a long table with an index for the question."""

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, Any]:
        """Return the SQL of PostgreSQL, which leaves a query with OFFSET where it stands."""
        template = "EXISTS(%(subquery)s OFFSET 0)"
        return self.as_sql(compiler, connection, template=template, **more)  # type: ignore[call-arg]  # not in the stubs
