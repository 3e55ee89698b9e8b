"""The first admin: where nobody can sign in yet, a one-time link is printed for whoever started the console."""

import secrets
import time

import structlog
from redis.exceptions import RedisError

from console.serving.site import Site
from ledger import accounts
from routing.instant import DAY

FIRST = "\0first"
"""Whom the link is for: no user has this name; who opens it chooses their own."""

AGAIN_S = 2

_log = structlog.get_logger(__name__)


def greet(site: Site) -> str:
    """Print the link and return it; "" when there are users already. Raises redis.RedisError, OSError."""
    if accounts.users(site.client, site.keys):
        return ""
    secret = secrets.token_urlsafe(24)
    accounts.invite(site.client, site.keys, secret, FIRST, DAY)
    link = link_of(site, secret)
    _log.warning("nobody can sign in yet: become the first admin", link=link, good_for="24 h")
    return link


def greet_in_time(site: Site) -> None:
    """As soon as the database answers: what is wrong meanwhile each page says itself."""
    while True:
        try:
            greet(site)
        except (RedisError, OSError):
            time.sleep(AGAIN_S)
        else:
            return


def link_of(site: Site, secret: str) -> str:
    return link_to(site.settings.origin, secret)


def link_to(origin: str, secret: str) -> str:
    """Where a one-time link leads, at the console that browsers reach there."""
    return f"{origin}/welcome/{secret}"
