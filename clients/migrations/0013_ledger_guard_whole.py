"""Two ways around the guard of the ledger are closed: TRUNCATE on PostgreSQL, and REPLACE on SQLite.

TRUNCATE fires no trigger of a row, and SQLite's REPLACE deletes the old row without firing one.
"""

from django.db import migrations

SQLITE = [
    """CREATE TRIGGER clients_consentevent_no_replace BEFORE INSERT ON clients_consentevent
       WHEN EXISTS (SELECT 1 FROM clients_consentevent WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'The consent ledger is append-only'); END""",
    """CREATE TRIGGER clients_consenttext_no_replace BEFORE INSERT ON clients_consenttext
       WHEN EXISTS (
         SELECT 1 FROM clients_consenttext AS known
         JOIN clients_consentevent AS event ON event.text_id = known.id
         WHERE known.id = NEW.id
            OR (known.purpose = NEW.purpose AND known.channel = NEW.channel
                AND known.language = NEW.language AND known.version = NEW.version))
       BEGIN SELECT RAISE(ABORT, 'The consent ledger points at this wording'); END""",
]
SQLITE_BACK = ["DROP TRIGGER clients_consenttext_no_replace", "DROP TRIGGER clients_consentevent_no_replace"]

POSTGRESQL = [
    """CREATE FUNCTION clients_ledger_stays() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF current_setting('carnet.retention', true) = 'on' THEN
           RETURN NULL;
         END IF;
         RAISE EXCEPTION 'The consent ledger is append-only' USING ERRCODE = 'integrity_constraint_violation';
       END $$""",
    """CREATE TRIGGER clients_consentevent_no_truncate BEFORE TRUNCATE ON clients_consentevent
       FOR EACH STATEMENT EXECUTE FUNCTION clients_ledger_stays()""",
]
POSTGRESQL_BACK = [
    "DROP TRIGGER clients_consentevent_no_truncate ON clients_consentevent",
    "DROP FUNCTION clients_ledger_stays()",
]


def _run(sqlite, postgresql):
    def run(apps, schema_editor):
        statements = sqlite if schema_editor.connection.vendor == "sqlite" else postgresql
        for statement in statements:
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("clients", "0012_sheets_and_passwords")]

    operations = [migrations.RunPython(_run(SQLITE, POSTGRESQL), _run(SQLITE_BACK, POSTGRESQL_BACK))]
