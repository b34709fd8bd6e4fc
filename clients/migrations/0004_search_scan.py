"""SQLite has no trigram index: a search reads this narrow index from end to end instead of the whole wide table."""

from django.db import migrations

CREATE = (
    "CREATE INDEX clients_client_search_scan ON clients_client"
    " (search_text, sort_name, inactive_at, restricted_at, erased_at)"
)


def _run(statement):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("clients", "0003_wording_2026_1")]

    operations = [migrations.RunPython(_run(CREATE), _run("DROP INDEX clients_client_search_scan"))]
