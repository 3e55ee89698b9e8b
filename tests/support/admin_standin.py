"""The site's own administration, as far as we use it: it really blocks addresses, ends sessions and writes to customers,
and takes no member it does not know. Beside it, whether it is well, and its host's status page.
"""

from typing import Any

from vendor_server import Asked, Reply, VendorServer

TOKEN = "the-admin-token"
KNOWN = {
    "/api/admin/security/block-ip": {"ip", "reason"},
    "/api/admin/security/unblock-ip": {"ip"},
    "/api/admin/security/reset-sessions": {"users", "everyone", "reason"},
    "/api/admin/notify/customers": {"users", "everyone", "type", "subject", "message"},
}
EVERYONE = 120
"""So many customers there are."""


class AdminStandin(VendorServer):
    def __init__(self) -> None:
        super().__init__()
        self.healthy = True
        self.blocked: set[str] = set()
        self.resets: list[Any] = []
        """Of whom sessions were ended: ids, or "everyone"."""
        self.written: list[dict[str, Any]] = []

    @property
    def changes(self) -> list[str]:
        return [call.path for call in self.calls if call.done and call.method == "POST"]

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/api/health-check":
            return Reply(200 if self.healthy else 503)
        if asked.path == "/api/v2/summary.json":
            return Reply(
                200, {"status": {"indicator": "major", "description": "Major outage"}, "components": []}
            )
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"error": "who are you"})
        if asked.method != "POST" or asked.path not in KNOWN:
            return Reply(404, {"error": "no such path"})
        given = asked.json
        if set(given) - KNOWN[asked.path]:
            return Reply(400, {"error": "unknown member"})
        if "ip" in given:
            (self.blocked.discard if "unblock" in asked.path else self.blocked.add)(given["ip"])
            return Reply(200, {"ok": True})
        whom = "everyone" if given.get("everyone") else given["users"]
        if "subject" in given:
            self.written.append(given)
        else:
            self.resets.append(whom)
        return Reply(202, {"affected": EVERYONE} if whom == "everyone" else {})
