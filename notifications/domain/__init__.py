"""The check of the sender's domain: what the DNS says about who may send for it, told to the owner in plain words."""
