"""On PostgreSQL the database itself refuses two visits of one person at one time: the backstop behind booking's lock.

SQLite has no such constraint; there a writing transaction shuts out every other one.
"""

from django.db import migrations

FORWARD = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    ALTER TABLE appointments_appointment ADD CONSTRAINT appointments_no_overlap
    EXCLUDE USING gist (staff_id WITH =, tstzrange(start_at, end_at) WITH &&)
    WHERE (state IN ('booked', 'confirmed', 'arrived', 'in_chair', 'done') AND NOT is_overbooked)
    """,
)
BACKWARD = ("ALTER TABLE appointments_appointment DROP CONSTRAINT appointments_no_overlap",)


def run(statements):
    def on_postgresql(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return on_postgresql


class Migration(migrations.Migration):
    dependencies = [("appointments", "0001_initial")]

    operations = [migrations.RunPython(run(FORWARD), run(BACKWARD))]
