"""How often clients come, reckoned from their visits by the database: for rules that look at many of them at once.

A habit, so it says nothing of who has not said Yes to profiling. Nothing is stored: a Yes that is taken back counts at once.
"""

import datetime as dt
from typing import Any

from django.db.models import Case, DateTimeField, Expression, F, Func, IntegerField, Value, When

from appointments.models import Appointment, State
from clients import standings

# A rhythm shows in so many times between visits, of the last years.
GAPS_LEAST = 3
LOOKS_BACK = dt.timedelta(weeks=156)
WEEK_S = 7 * 24 * 60 * 60


# The seconds between two instants; in SQLite without a function of Python's.
_SECONDS = {
    "sqlite": "CAST(ROUND((julianday({0}) - julianday({1})) * 86400) AS INTEGER)",
    "postgresql": "CAST(EXTRACT(EPOCH FROM ({0} - {1})) AS BIGINT)",
}


class Between(Func):
    """The whole weeks between two instants, the later one first, to the nearest."""

    output_field = IntegerField()
    arity = 2

    def as_sql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Return the SQL of both databases."""
        parts = [compiler.compile(one) for one in self.get_source_expressions()]
        sql = _in_weeks(connection.vendor, *(part for part, _params in parts))
        return sql, [param for _part, params in parts for param in params]


def _in_weeks(vendor: str, later: str, earlier: str) -> str:
    return f"(({_SECONDS[vendor].format(later, earlier)} + {WEEK_S // 2}) / {WEEK_S})"


class _Median(Func):
    """The median, in weeks, of the times between completed visits of a client since an instant; NULL of fewer than GAPS_LEAST.

    Of an even number the shorter of the two in the middle. Visits within half a week are one.
    """

    output_field = IntegerField()
    arity = 2

    def as_sql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Return a query that looks at one client, in a name of its own so that the outer one's stays outside."""
        (client, of_client), (since, of_since) = (compiler.compile(one) for one in self.get_source_expressions())
        table = connection.ops.quote_name(Appointment._meta.db_table)
        weeks = _in_weeks(connection.vendor, "rhythm_visit.start_at", "rhythm_visit.before_at")
        visits = (
            "SELECT had.start_at, LAG(had.start_at) OVER (ORDER BY had.start_at) AS before_at "  # noqa: S608 (names of models)
            f"FROM {table} had WHERE had.client_id = {client} AND had.state = '{State.DONE.value}' AND had.start_at >= {since}"
        )
        gaps = f"SELECT {weeks} AS weeks FROM ({visits}) rhythm_visit WHERE rhythm_visit.before_at IS NOT NULL"  # noqa: S608
        placed = (
            "SELECT weeks, ROW_NUMBER() OVER (ORDER BY weeks) AS place, COUNT(*) OVER () AS gap_count "  # noqa: S608
            f"FROM ({gaps}) rhythm_gap WHERE weeks > 0"
        )
        sql = (
            f"(SELECT weeks FROM ({placed}) rhythm_place "  # noqa: S608
            f"WHERE place = (gap_count + 1) / 2 AND gap_count >= {GAPS_LEAST})"
        )
        return sql, [*of_client, *of_since]


def weeks(client: str, now: dt.datetime) -> Expression:
    """Return the expression for the weeks that the client in a column lets pass between visits; NULL without Yes or rhythm."""
    since = Value(now - LOOKS_BACK, output_field=DateTimeField())
    return Case(When(standings.profiled(client), then=_Median(F(client), since)), default=None, output_field=IntegerField())
