"""A step of a message costs the database less: the same steps are forbidden, and no index is written twice.

PostgreSQL reads the condition of a trigger anew for every statement, and that of the steps is long; the body of a function
it keeps. The three indexes stood beside longer ones that begin with the same column.
"""

import importlib

import django.db.models.deletion
from django.db import migrations, models

_steps = importlib.import_module("notifications.migrations.0002_states_kept")
FORBIDDEN = _steps.FORBIDDEN

LIGHT = f"""
CREATE OR REPLACE FUNCTION notifications_message_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {FORBIDDEN} THEN
        RAISE EXCEPTION 'a message cannot take this step: % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER notifications_message_steps ON notifications_message;
CREATE TRIGGER notifications_message_steps BEFORE UPDATE OF state ON notifications_message
FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION notifications_message_steps();
"""


def lighten(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(LIGHT, params=None)


def back(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        _steps.drop(apps, schema_editor)
        _steps.make(apps, schema_editor)


def keep(apps, schema_editor):
    """SQLite changes a column by writing the table anew, and a trigger goes with the old one."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS notifications_message_steps")
        schema_editor.execute(_steps.SQLITE)


class Migration(migrations.Migration):
    dependencies = [
        ("appointments", "0002_no_overlap"),
        ("clients", "0005_search_walk"),
        ("notifications", "0004_campaigns"),
    ]
    operations = [
        migrations.RunPython(lighten, back),
        migrations.AlterField(
            model_name="attempt",
            name="message",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="notifications.message",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="appointment",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to="appointments.appointment",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="client",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to="clients.client",
            ),
        ),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
