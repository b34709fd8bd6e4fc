"""A list of clients from a file: bytes, rows, values, plan, commit. Called by `import_clients`; never raises a consent."""
