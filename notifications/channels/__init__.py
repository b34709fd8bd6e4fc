"""The ways to reach a client. Only dispatch calls them; only they know providers."""
