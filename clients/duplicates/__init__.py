"""Cards that may be one person: how alike two are (`score`), where to look (`blocks`), what was found and answered (`pairs`)."""
