"""The website that everything is about: well, ill, slow; or as well as the deployment that Vercel has live.

Run it alone: `python tests/support/site_standin.py --port 9003 --vercel http://127.0.0.1:9002 --bad dpl_bad`.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from vendor_server import CONTROL, Asked, Reply, VendorServer, arguments, serve_for_ever


class SiteStandin(VendorServer):
    """`live` says which deployment is live; the site is ill while that one is in `bad`, or `healthy` is false."""

    def __init__(
        self,
        *,
        port: int = 0,
        log: Path | None = None,
        live: Callable[[], str] | None = None,
        bad: frozenset[str] = frozenset({"dpl_bad"}),
    ) -> None:
        super().__init__(port=port, log=log)
        self.healthy = True
        self.slow_s = 0.0
        self.bad = bad
        self._live = live

    @property
    def well(self) -> bool:
        return self.healthy and (self._live is None or self._live() not in self.bad)

    def answer(self, asked: Asked) -> Reply:
        del asked
        if self.slow_s:
            time.sleep(self.slow_s)
        if self.well:
            return Reply(200, {"status": "ok"})
        return Reply(503, {"status": "unwell", "error": "FUNCTION_INVOCATION_FAILED"})

    def control(self, what: str, given: Any) -> Any:
        if what == "health":
            self.healthy = given["healthy"]
        elif what == "slow":
            self.slow_s = given["seconds"]
        elif what != "state":
            raise KeyError(what)
        return {"well": self.well}


def live_at(vercel_url: str) -> Callable[[], str]:
    """What a Vercel stand-in in another process has live."""

    def live() -> str:
        with urlopen(f"{vercel_url}{CONTROL}state", timeout=5) as found:  # noqa: S310  # our own loopback
            return str(json.load(found)["live"])

    return live


def main() -> None:
    parser = arguments()
    parser.add_argument("--vercel", default="")
    parser.add_argument("--bad", action="append", default=[])
    given = parser.parse_args()
    live = live_at(given.vercel) if given.vercel else None
    serve_for_ever(SiteStandin(port=given.port, log=given.log, live=live, bad=frozenset(given.bad)))


if __name__ == "__main__":
    main()
