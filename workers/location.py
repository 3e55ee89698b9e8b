"""Where a step that reads looks: at a `url` as it stands or below its family's `base_url`, at a host or the site's."""

from typing import Final
from urllib.parse import urlsplit

from pydantic.config import JsonDict

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step

URL = r"^(https?:/)?/"
"""A whole address, or a path below `base_url`."""
WRITTEN: Final[JsonDict] = {"x-literal-host": True}
"""Nothing that happened may choose the host."""


def whole(step: Step, family: str, url: str) -> str:
    """Raises ActionError when a path has nothing it could be below."""
    if not url.startswith("/"):
        return url
    base = step.settings.get("base_url", "").rstrip("/")
    if not base.startswith(("http://", "https://")):
        found = f'base_url is "{base}"' if base else "base_url is not set"
        fix = f"set {family}.base_url in config/actions.yaml to an address like https://example.com"
        raise ActionError(f"{url} is a path and {found}; {fix}", outcome=Outcome.PERMANENT)
    return base + url


def host(step: Step, family: str, given: str) -> str:
    """The host that is given, else that of the family's `base_url`. Raises ActionError when neither is."""
    if given:
        return given
    site = step.settings.get("base_url", "")
    found = urlsplit(site).hostname if site.startswith(("http://", "https://")) else None
    if not found:
        fix = f"name one, or set {family}.base_url in config/actions.yaml to an address like https://example.com"
        raise ActionError(f"no host is given, and base_url is {site!r}; {fix}", outcome=Outcome.PERMANENT)
    return found
