"""Who carries a message: one module a provider. They know envelopes, not clients."""
