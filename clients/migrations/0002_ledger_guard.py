"""The database itself keeps the ledger: no line of it is changed or deleted, no wording it points at either.

The one way through is retention: on PostgreSQL `SET LOCAL carnet.retention = 'on'`, on SQLite a row in
clients_retention_gate for the length of the transaction (clients/retention.py). Changing a line stays impossible.
"""

from django.db import migrations

SQLITE = [
    "CREATE TABLE clients_retention_gate (is_open integer PRIMARY KEY CHECK (is_open = 1))",
    """CREATE TRIGGER clients_consentevent_no_update BEFORE UPDATE ON clients_consentevent
       BEGIN SELECT RAISE(ABORT, 'The consent ledger is append-only'); END""",
    """CREATE TRIGGER clients_consentevent_no_delete BEFORE DELETE ON clients_consentevent
       WHEN NOT EXISTS (SELECT 1 FROM clients_retention_gate)
       BEGIN SELECT RAISE(ABORT, 'The consent ledger is append-only'); END""",
    """CREATE TRIGGER clients_consenttext_no_update BEFORE UPDATE ON clients_consenttext
       WHEN EXISTS (SELECT 1 FROM clients_consentevent WHERE text_id = OLD.id)
       BEGIN SELECT RAISE(ABORT, 'The consent ledger points at this wording'); END""",
    """CREATE TRIGGER clients_consenttext_no_delete BEFORE DELETE ON clients_consenttext
       WHEN EXISTS (SELECT 1 FROM clients_consentevent WHERE text_id = OLD.id)
        AND NOT EXISTS (SELECT 1 FROM clients_retention_gate)
       BEGIN SELECT RAISE(ABORT, 'The consent ledger points at this wording'); END""",
]
SQLITE_BACK = [
    "DROP TRIGGER clients_consenttext_no_delete",
    "DROP TRIGGER clients_consenttext_no_update",
    "DROP TRIGGER clients_consentevent_no_delete",
    "DROP TRIGGER clients_consentevent_no_update",
    "DROP TABLE clients_retention_gate",
]

POSTGRESQL = [
    """CREATE FUNCTION clients_ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF TG_OP = 'DELETE' AND current_setting('carnet.retention', true) = 'on' THEN
           RETURN OLD;
         END IF;
         RAISE EXCEPTION 'The consent ledger is append-only' USING ERRCODE = 'integrity_constraint_violation';
       END $$""",
    """CREATE FUNCTION clients_wording_guard() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF TG_OP = 'DELETE' AND current_setting('carnet.retention', true) = 'on' THEN
           RETURN OLD;
         END IF;
         IF EXISTS (SELECT 1 FROM clients_consentevent WHERE text_id = OLD.id) THEN
           RAISE EXCEPTION 'The consent ledger points at this wording' USING ERRCODE = 'integrity_constraint_violation';
         END IF;
         IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
         RETURN NEW;
       END $$""",
    """CREATE TRIGGER clients_consentevent_append_only BEFORE UPDATE OR DELETE ON clients_consentevent
       FOR EACH ROW EXECUTE FUNCTION clients_ledger_guard()""",
    """CREATE TRIGGER clients_consenttext_kept BEFORE UPDATE OR DELETE ON clients_consenttext
       FOR EACH ROW EXECUTE FUNCTION clients_wording_guard()""",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX clients_client_search ON clients_client USING gin (search_text gin_trgm_ops)",
]
POSTGRESQL_BACK = [
    "DROP INDEX clients_client_search",
    "DROP TRIGGER clients_consenttext_kept ON clients_consenttext",
    "DROP TRIGGER clients_consentevent_append_only ON clients_consentevent",
    "DROP FUNCTION clients_wording_guard()",
    "DROP FUNCTION clients_ledger_guard()",
]


def _run(sqlite, postgresql):
    def run(apps, schema_editor):
        statements = sqlite if schema_editor.connection.vendor == "sqlite" else postgresql
        for statement in statements:
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("clients", "0001_initial")]

    operations = [migrations.RunPython(_run(SQLITE, POSTGRESQL), _run(SQLITE_BACK, POSTGRESQL_BACK))]
