"""Filters of the clients pages."""
