"""The steps between the states of a message, kept by the database as well: nothing leaves a final state.

The same table stands in `notifications.outbox.TABLE`; a test lays one beside the other.
"""

from django.db import migrations

STEPS = {
    "pending": ["claimed", "cancelled", "suppressed", "expired", "quarantined", "held"],
    "claimed": ["pending", "handoff", "cancelled", "suppressed", "expired", "failed", "quarantined", "held"],
    "handoff": ["pending", "accepted", "failed", "suppressed", "expired", "unknown"],
    "unknown": ["pending", "accepted", "failed", "suppressed", "expired", "closed_unknown"],
    "accepted": ["delivered", "bounced"],
    "held": ["pending", "cancelled", "expired"],
}
# Only while no provider can have it.
REVIVALS = ["cancelled", "suppressed"]
# A provider proves that it has what it had not, as it said before: the hand-over is noted again with that step, and only then.
LATE = ["pending", "claimed", "held", "cancelled", "suppressed", "expired"]
PAIRS = ", ".join(f"'{before}>{after}'" for before, states in STEPS.items() for after in states)
FORBIDDEN = (
    "OLD.state <> NEW.state"
    f" AND (OLD.state || '>' || NEW.state) NOT IN ({PAIRS})"
    f" AND NOT (OLD.state IN ({', '.join(repr(name) for name in REVIVALS)}) AND NEW.state = 'pending' AND OLD.handoff_at IS NULL)"
    f" AND NOT (OLD.state IN ({', '.join(repr(name) for name in LATE)}) AND NEW.state = 'accepted'"
    " AND OLD.handoff_at IS NULL AND NEW.handoff_at IS NOT NULL)"
)

SQLITE = f"""
CREATE TRIGGER notifications_message_steps BEFORE UPDATE OF state ON notifications_message
WHEN {FORBIDDEN}
BEGIN SELECT RAISE(ABORT, 'a message cannot take this step'); END;
"""
POSTGRESQL = f"""
CREATE FUNCTION notifications_message_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a message cannot take this step: %% to %%', OLD.state, NEW.state USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER notifications_message_steps BEFORE UPDATE OF state ON notifications_message
FOR EACH ROW WHEN ({FORBIDDEN}) EXECUTE FUNCTION notifications_message_steps();
"""


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
    else:
        schema_editor.execute(POSTGRESQL.replace("%%", "%"), params=None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER notifications_message_steps")
    else:
        schema_editor.execute("DROP TRIGGER notifications_message_steps ON notifications_message")
        schema_editor.execute("DROP FUNCTION notifications_message_steps()")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]
    operations = [migrations.RunPython(make, drop)]
