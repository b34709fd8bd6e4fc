"""Who belongs to the team and in which role. Called by the team pages; every change ends the sessions it must end.

At least one owner who can sign in stays, whatever two owners do at the same moment: each change locks all owners.
"""

from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from salon.core import audit, ownership, sessions
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May, Role

_SALT = "salon.core.team.join"


def _lock(member: User, by: User) -> User:
    """Lock every owner and `member`, check again under the lock that `by` may, and return the fresh member.

    Raises Refused if `by` has meanwhile lost the right, or would change their own place.
    """
    owners = User.objects.select_for_update().filter(role=Role.OWNER).order_by("pk")
    held = {row.pk: row for row in owners}
    actor = held.get(by.pk)
    if actor is None or not actor.may(May.EDIT_TEAM):
        raise Refused(_("Only an owner can change the team."))
    if member.pk == by.pk:
        raise Refused(_("Nobody changes their own place in the team. Ask another owner."))
    return held.get(member.pk) or User.objects.select_for_update().get(pk=member.pk)


def _check_owner_stays(member: User) -> None:
    """Raise Refused if without `member` no owner could sign in. Call under `_lock`."""
    others = User.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=member.pk)
    if member.role == Role.OWNER and not any(other.has_usable_password() for other in others):
        raise Refused(_("The salon needs an owner who can sign in."))


@transaction.atomic
def invite(*, email: str, name: str, role: str, language: str, by: User) -> User:
    """Return a new member without a password, who joins by `join_path`. Raises Refused for a known address."""
    if not by.may(May.EDIT_TEAM):
        raise Refused(_("Only an owner can change the team."))
    if User.objects.filter(email__iexact=email).exists():
        raise Refused(_("Somebody in the team already has this e-mail address."), field="email")
    member = User.objects.create_user(email, None, name=name, role=Role(role), language=language)
    audit.record("team.invited", member, by=by, role=str(member.role))
    if member.role == Role.OWNER:
        ownership.tell("owner_made", member, by=by)
    return member


def _state(member: User) -> str:
    """Return a mark that changes when the link of `member` must die: a password set, a role changed, a leave."""
    facts = f"{member.pk}:{member.password}:{member.email}:{member.role}:{member.is_active}"
    return salted_hmac(_SALT, facts, algorithm="sha256").hexdigest()


def join_path(member: User) -> str:
    """Return the path by which `member` chooses a password: for JOIN_LINK_DAYS days, once."""
    return f"/join/{member.pk}/{signing.dumps(_state(member), salt=_SALT)}/"


def invited(uid: int, token: str) -> User | None:
    """Return whom the link invites, or None for a link that is wrong, used or too old."""
    try:
        state = signing.loads(token, salt=_SALT, max_age=timedelta(days=settings.JOIN_LINK_DAYS))
    except signing.BadSignature:
        return None
    member = User.objects.filter(pk=uid, is_active=True).first()
    if member is None or member.has_usable_password() or not constant_time_compare(str(state), _state(member)):
        return None
    return member


@transaction.atomic
def join(uid: int, token: str, *, password: str, language: str | None = None) -> User:
    """Set the password that the invited person chose, and return the member. Raises Refused for a link that is not open.

    `language` is the one in which they read the page: theirs from now on. Without it the inviter's guess stays.
    """
    User.objects.select_for_update().filter(pk=uid).first()
    member = invited(uid, token)
    if member is None:
        raise Refused(_("This link was used already, or is too old."))
    member.set_password(password)
    member.language = language or member.language
    member.save(update_fields=["password", "language"])
    audit.record("team.joined", member, by=member)
    return member


@transaction.atomic
def change_role(member: User, *, to: str, by: User) -> User:
    """Give `member` the role `to`, which ends their sessions. Raises Refused for oneself and for the last owner."""
    row = _lock(member, by)
    role = Role(to)
    if row.role == role:
        return row
    _check_owner_stays(row)
    before, row.role = row.role, role
    row.save(update_fields=["role"])
    audit.record("team.role_changed", row, by=by, before=str(before), after=str(role))
    if Role.OWNER in (before, role):
        ownership.tell("owner_made" if role == Role.OWNER else "owner_ended", row, by=by)
    return row


@transaction.atomic
def edit(member: User, *, by: User, **fields: str) -> User:
    """Change `name` or `language` of another member, and return them. Raises Refused for oneself."""
    row = _lock(member, by)
    changed = sorted(name for name, value in fields.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=changed)
        audit.record("team.edited", row, by=by, fields=changed)
    return row


@transaction.atomic
def deactivate(member: User, *, by: User) -> User:
    """Close the account of `member`, which ends their sessions. Raises Refused for oneself and for the last owner."""
    row = _lock(member, by)
    if not row.is_active:
        return row
    _check_owner_stays(row)
    row.is_active = False
    row.save(update_fields=["is_active"])
    sessions.forget(row)
    audit.record("team.deactivated", row, by=by)
    if row.role == Role.OWNER:
        ownership.tell("owner_closed", row, by=by)
    return row


@transaction.atomic
def reactivate(member: User, *, by: User) -> User:
    """Open the account of `member` again, with the password and the role it had."""
    row = _lock(member, by)
    if not row.is_active:
        row.is_active = True
        row.save(update_fields=["is_active"])
        audit.record("team.reactivated", row, by=by)
        if row.role == Role.OWNER:
            ownership.tell("owner_opened", row, by=by)
    return row


@transaction.atomic
def remove_second_factor(member: User, *, by: User) -> User:
    """Forget the authenticator app and the recovery codes of `member`, who has lost them and stands before you."""
    row = _lock(member, by)
    count, _each = Authenticator.objects.filter(user=row).delete()
    audit.record("team.second_factor_removed", row, by=by, count=count)
    if row.role == Role.OWNER:
        ownership.tell("owner_factor", row, by=by)
    return row
