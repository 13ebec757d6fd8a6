"""In which role a person worked: what the ledger's words mean for our users.

Owns the mapping from a user's role and credential to ``billing.ledger.facts.ROLES``. It keeps
clerical work out of counted time (R-TIME-06): a role that the user cannot have is refused. Does
not own which role counts for what.
"""

from sqlmodel import Session

from billing.ledger.facts import ROLES
from rpm.actions.command import refuse
from rpm.store.queries.entries import latest_entries
from rpm.store.scope import Scope
from rpm.store.tables.people import Practitioner, User

_POSSIBLE: dict[str, tuple[str, ...]] = {
    "practice_admin": ROLES,  # in a small practice the owner
    "practitioner": ("qhp",),
    "clinical_staff": ("rn", "lpn", "ma"),
    "clerical_staff": ("admin",),
    "biller": ("admin",),
    "auditor": ("admin",),
}
_BY_CREDENTIAL = {"RN": "rn", "LPN": "lpn", "LVN": "lpn", "MA": "ma", "CMA": "ma"}


def worker_role(db: Session, scope: Scope, user: User, given: str | None) -> str:
    """The role a user worked in: the given one if the user can have it, else the only possible one.

    A linked practitioner's credential decides between several. ``InvalidRequest`` naming ``role``
    when the given one is impossible, or none is given and several are possible.
    """
    if given is not None:
        if given not in _POSSIBLE[user.role]:
            raise refuse("role", "E_ROLE_NOT_POSSIBLE", "the user cannot have worked in this role")
        return given
    possible = likely_roles(db, scope, user)
    if len(possible) == 1:
        return possible[0]
    raise refuse("role", "E_ROLE_MISSING", "say in which role the user worked")


def last_role(db: Session, scope: Scope, user: User) -> str | None:
    """The role in which the user worked last; None before the first entry."""
    last = latest_entries(db, scope, actor_user_id=user.id, limit=1)
    return last[0].role if last else None


def likely_roles(db: Session, scope: Scope, user: User) -> tuple[str, ...]:
    """The roles between which only the user can tell; one where the credential decides."""
    possible = _POSSIBLE[user.role]
    if len(possible) > 1 and user.practitioner_id is not None:
        practitioner = scope.get(db, Practitioner, user.practitioner_id)
        credential = practitioner.credential.upper().replace(".", "")
        by_credential = _BY_CREDENTIAL.get(credential)
        if by_credential is not None and by_credential in possible:
            return (by_credential,)
    return possible
