"""The standing cast: one user for each role, and Nina, who has none."""

from salon.core.models import User
from salon.core.roles import Role

PASSWORD = "a long enough passphrase"

NAMES = {
    Role.OWNER: ("Olivia Moreau", "olivia@example.org"),
    Role.MANAGER: ("Nadia Keller", "nadia@example.org"),
    Role.RECEPTION: ("Sofia Klein", "sofia@example.org"),
    Role.STYLIST: ("Léa Martin", "lea@example.org"),
}


def user_with(role: Role | str, **fields: object) -> User:
    """Return the cast's user of `role`, made on first use. Their password is PASSWORD."""
    name, email = NAMES[Role(role)]
    existing = User.objects.filter(email=email).first()
    return existing or User.objects.create_user(email, PASSWORD, name=name, role=role, **fields)


def nina() -> User:
    """Return Nina: signed in, and without a role of ours."""
    return User.objects.filter(email="nina@example.org").first() or User.objects.create_user(
        "nina@example.org", PASSWORD, name="Nina Roth", role="guest"
    )
