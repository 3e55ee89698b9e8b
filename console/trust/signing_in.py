"""Signing in with a name and a password, as often as somebody who mistypes needs to, and no more."""

from console.serving.site import Site
from console.trust import passwords
from console.trust.guard import Refused, TooMany
from console.trust.people import Doer, People
from ledger import accounts
from ledger.accounts import Audited
from routing.instant import MINUTE

WINDOW_MS = 15 * MINUTE
BY_BOTH, BY_ADDRESS, BY_NAME = 5, 40, 100
"""Tries in that time: of one name from one address, of all names from it, of one name from everywhere.

The last is wide, so that a stranger cannot keep somebody out who is needed; who is signed in stays so anyway.
"""


class WrongPassword(Refused):
    status = 401


def sign_in(site: Site, name: str, password: str, address: str, agent: str) -> str:
    """What their browser is to hold. Raises WrongPassword or TooMany. Takes a tenth of a second."""
    name = name.strip().lower()[:64]
    _spend(site, name, address)
    user = accounts.user(site.client, site.keys, name)
    right = passwords.matches(password, user.password if user else "")
    if not right or user is None or user.disabled_at:
        client = f"from {address}"
        line = Audited(at=site.now(), by=name, what="failed to sign in", client=client)
        accounts.audit(site.client, site.keys, line)
        raise WrongPassword("that is not the name and the password of anybody", "try again")
    accounts.forgive(site.client, site.keys, f"sign-in:{name}:{address}")
    return People(site.client, site.keys, Doer(name), site.now()).begin_session(name, address, agent)


def _spend(site: Site, name: str, address: str) -> None:
    for what, most in ((f"{name}:{address}", BY_BOTH), (f"@{address}", BY_ADDRESS), (name, BY_NAME)):
        tried, left = accounts.spend(site.client, site.keys, f"sign-in:{what}", WINDOW_MS)
        if tried > most:
            raise TooMany("too many tries", left)
