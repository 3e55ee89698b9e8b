"""Templates: what messages say, where the configuration says it differently."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.reason import Origin


@dataclass(frozen=True, slots=True)
class Template:
    """One file of `templates/`. `name` is the file's without `.yaml`: "page", "sms.page", "sms.page.sev-0".

    `parts` are the texts by what they give: "title", "body", "speech", "html". `origins` are where each stands.
    """

    name: str
    parts: Mapping[str, str]
    origins: Mapping[str, Origin]
