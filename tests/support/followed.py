"""A schedule that follows a calendar, in the shipped configuration; and who serves that calendar."""

from typing import Any

import shipped
import yaml
from desk import Desk
from vendor_server import Asked, Reply, VendorServer

from ledger import catalogue, policies
from routing.load import load


def follow(desk: Desk, feed: dict[str, Any] | None, schedule: str = "primary") -> None:
    """Put into force that the schedule has this feed; None takes it away."""
    files = shipped.files()
    file = yaml.safe_load(files["config/oncall.yaml"])
    file["schedules"][schedule] |= {"feed": feed} if feed else {}
    files["config/oncall.yaml"] = yaml.safe_dump(file)
    desk.policy = load(files, catalogue.catalogue())
    policies.publish(desk.client, desk.keys, files, catalogue.catalogue(), desk.policy, "test")


class CalendarServer(VendorServer):
    """Serves `text`, and answers 304 to who has it, as RFC 9110 says."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text

    @property
    def address(self) -> str:
        return f"{self.url}/private-5f2/basic.ics"

    def answer(self, asked: Asked) -> Reply:
        tag = f'"{hash(self.text)}"'
        if asked.headers.get("if-none-match") == tag:
            return Reply(304, b"", {"ETag": tag})
        return Reply(200, self.text.encode(), {"ETag": tag, "Content-Type": "text/calendar"})
