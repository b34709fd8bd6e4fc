"""Peers of the benches, each run as a process of its own with its own settings."""
