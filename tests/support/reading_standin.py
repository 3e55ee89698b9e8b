"""Sentry's issues, PageSpeed and Google Analytics: vendors that are only ever read."""

from typing import Any

from vendor_server import Asked, Reply, VendorServer

ISSUE = {
    "id": "1", "shortId": "SHOP-1", "title": "TypeError: x is undefined", "level": "error", "culprit": "/book",
    "count": "120", "userCount": 31, "firstSeen": "2026-11-28T10:00:00Z", "lastSeen": "2026-11-28T10:20:00Z",
    "permalink": "https://shop.sentry.io/issues/1/",
}  # fmt: skip
LIGHTHOUSE = {
    "lighthouseResult": {
        "categories": {"performance": {"score": 0.62}},
        "audits": {
            "largest-contentful-paint": {"numericValue": 4_123.4},
            "first-contentful-paint": {"numericValue": 1_800},
            "total-blocking-time": {"numericValue": 340},
            "cumulative-layout-shift": {"numericValue": 0.1234},
            "unused-javascript": {
                "title": "Unused code",
                "details": {"overallSavingsMs": 900, "overallSavingsBytes": 200_000},
            },
            "modern-image-formats": {"title": "Old images", "details": {"overallSavingsMs": 1_200}},
            "is-on-https": {"score": 1},
        },
    },
    "loadingExperience": {
        "overall_category": "AVERAGE",
        "metrics": {
            "LARGEST_CONTENTFUL_PAINT_MS": {"percentile": 3_100},
            "CUMULATIVE_LAYOUT_SHIFT_SCORE": {"percentile": 12},
        },
    },
}


class Vendors(VendorServer):
    """All three, strict about what they need. `new` are the issues that were first seen lately."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: Any = [ISSUE, {**ISSUE, "shortId": "SHOP-2", "count": "3", "userCount": 2}]
        self.new: Any = []
        self.page: Any = LIGHTHOUSE
        self.messages: list[dict[str, str]] = []
        self.rows: Any = [row("page_view", 30, 8), row("purchase", 2, 2)]

    def answer(self, asked: Asked) -> Reply:
        bearer = asked.headers.get("authorization", "")
        if asked.path == "/api/0/organizations/shop/issues/":
            return (
                Reply(200, self.new if "firstSeen:-" in asked.query["query"][0] else self.issues)
                if bearer == "Bearer sentry-token"
                else Reply(401, {"detail": "Invalid token"})
            )
        if asked.path == "/pagespeedonline/v5/runPagespeed":
            good = asked.query.get("key") == ["page-key"] and asked.query.get("category") == ["PERFORMANCE"]
            return Reply(200, self.page) if good else Reply(400, {"error": {"message": "API key not valid"}})
        if asked.path == "/debug/mp/collect":
            good = set(asked.query) == {"measurement_id", "api_secret"} and set(asked.json) == {
                "client_id", "validation_behavior", "events"}  # fmt: skip
            return Reply(200, {"validationMessages": self.messages}) if good else Reply(400)
        if asked.path == "/token":
            good = asked.form.get("refresh_token") == ["refresh"] and asked.form["grant_type"] == [
                "refresh_token"
            ]
            return Reply(200, {"access_token": "access"}) if good else Reply(400, {"error": "invalid_grant"})
        if asked.path == "/v1beta/properties/123:runRealtimeReport" and bearer == "Bearer access":
            return Reply(200, {"rows": self.rows} if self.rows is not None else {"rowCount": 0})
        return Reply(404, {"error": {"message": "not found"}})


def row(name: str, events: int, users: int) -> dict[str, Any]:
    numbers = [{"value": str(events)}, {"value": str(users)}]
    return {"dimensionValues": [{"value": name}], "metricValues": numbers}
