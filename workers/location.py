"""Where the `url` of a step that reads leads: as it stands, or a path below its family's `base_url`."""

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step

URL = r"^(https?:/)?/"
"""A whole address, or a path below `base_url`."""


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
