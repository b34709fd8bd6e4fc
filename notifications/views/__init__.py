"""Pages of the notifications: messages, unknown fates, sending, triggers, health."""
