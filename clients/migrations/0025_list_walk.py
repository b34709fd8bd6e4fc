"""The indexes in the order of the list hold all that the list asks of an active card.

Why somebody is inactive was missing: a page far in, and a broad search, read the cards to leave out who is being deleted.
On SQLite the index of 0011 had gone, with the first migration that built its table anew: Django did not know of it.
"""

from django.db import migrations, models

ACTIVE = "WHERE inactive_at IS NULL AND restricted_at IS NULL AND erased_at IS NULL"
DROP = "DROP INDEX IF EXISTS clients_client_search_walk"
BEFORE = f"CREATE INDEX clients_client_search_walk ON clients_client (sort_name, id) INCLUDE (search_text) {ACTIVE}"
SINCE = f"CREATE INDEX clients_client_search_walk ON clients_client (sort_name, id) INCLUDE (inactive_reason, search_text) {ACTIVE}"


def _run(*statements):
    def run(apps, schema_editor):
        for statement in statements if schema_editor.connection.vendor == "postgresql" else ():
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("clients", "0024_new_clients")]

    operations = [
        migrations.RunSQL("DROP INDEX IF EXISTS clients_client_active", migrations.RunSQL.noop),
        migrations.RunPython(_run(DROP, SINCE), _run(DROP, BEFORE)),
        migrations.RemoveIndex(model_name="client", name="clients_client_counted"),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(
                condition=models.Q(("erased_at__isnull", True), ("inactive_at__isnull", True), ("restricted_at__isnull", True)),
                fields=["sort_name", "id", "inactive_reason", "inactive_at", "restricted_at", "erased_at"],
                name="clients_client_listed",
            ),
        ),
    ]
