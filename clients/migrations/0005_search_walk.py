"""PostgreSQL: a broad search counts in this narrow index, in the order of the list, instead of in the whole wide table."""

from django.db import migrations

CREATE = (
    "CREATE INDEX clients_client_search_walk ON clients_client (sort_name, id) INCLUDE (search_text)"
    " WHERE inactive_at IS NULL AND restricted_at IS NULL AND erased_at IS NULL"
)


def _run(statement):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("clients", "0004_search_scan")]

    operations = [migrations.RunPython(_run(CREATE), _run("DROP INDEX clients_client_search_walk"))]
