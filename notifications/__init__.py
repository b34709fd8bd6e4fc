"""What the salon says: kinds, planner, outbox, gate, channels and providers."""
