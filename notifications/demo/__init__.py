"""A believable salon for an empty installation: who works there, who comes, a year of visits, answers and messages.

Called by `manage.py demo` and by the benches. Writes past rows directly, as no operation lets anybody write history;
what it writes is over and done, so nothing of it is ever sent.
"""
