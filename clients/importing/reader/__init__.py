"""The bytes of a list that somebody uploaded -> plain rows, in a process of its own with little memory, time and nothing else.

Started by `clients.importing.reading` through `__main__`. Imports neither Django nor anything of ours beside names of columns.
"""
