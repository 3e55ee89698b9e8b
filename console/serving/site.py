"""Everything the console's routes share. One per process; tests build their own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import redis
from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from console.context import Context
from console.live import Watch
from console.measured import Reports
from console.serving.jobs import Jobs
from console.serving.once import ShownOnce
from console.serving.settings import ConsoleSettings
from console.serving.together import Together
from ledger import policies
from ledger.clock import now_ms
from ledger.connection import connect_async
from ledger.keys import Keys
from routing.policy import Policy

if TYPE_CHECKING:  # it needs an extra
    from console.trust.oidc.provider import Provider

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8
"""How many requests read at the same time; the others wait their turn."""


class LiveContext(Context):
    """A context that lives as long as the process: its policy is the one that decides now."""

    @property
    def policy(self) -> Policy:
        """The one that decides now: one process sees many. Raises click.ClickException when none ever did."""
        version = policies.current_version(self.client, self.keys)
        known: dict[str, Policy] = self.__dict__.setdefault("_known", {})
        if version not in known:
            found = Context(self.settings, self.client, self.keys).policy
            known.clear()
            known[version] = found
        return known[version]


@dataclass(slots=True)
class Site:
    """`now` gives ms since the epoch. What reads or appends does so synchronously: in a thread, by `read`."""

    settings: ConsoleSettings
    context: LiveContext
    now: Callable[[], int] = now_ms
    limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(THREADS))
    acting: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(THREADS))
    """Who acts waits for what comes of it, and keeps nobody from reading."""
    slow: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))
    """For passwords: each try takes 32 MB."""
    trying: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))
    """For simulations: who plays one keeps nobody from reading."""
    live: Watch = field(init=False)
    jobs: Jobs = field(init=False)
    reports: Reports = field(default_factory=Reports)
    shown_once: ShownOnce = field(init=False)
    together: Together = field(default_factory=Together)
    oidc: "Provider | None" = field(init=False, default=None)
    """Through whom people sign in besides with passwords."""

    def __post_init__(self) -> None:
        if self.settings.oidc:
            from console.trust.oidc.provider import Provider  # noqa: PLC0415  # an extra, for those alone who set it

            self.oidc = Provider(self.settings.oidc, self.now)
        self.jobs = Jobs(self.now, self.client, self.keys)
        self.shown_once = ShownOnce(self.now)
        self.live = Watch(self.keys, connect_async(self.context.settings))

    @property
    def client(self) -> redis.Redis:
        return self.context.client

    @property
    def keys(self) -> Keys:
        return self.context.keys

    async def read(self, ask: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """What `ask` answers, asked in a thread of a small pool."""
        return await to_thread.run_sync(lambda: ask(*args, **kwargs), limiter=self.limiter)

    def address_of(self, request: HTTPConnection) -> str:
        """Where a request came from, as far as our own proxies can be believed; "" where it has none."""
        address = request.client.host if request.client else ""
        for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            if not self._is_ours(address):
                break
            address = hop.strip() or address
        return address

    def _is_ours(self, address: str) -> bool:
        try:
            here = ip_address(address)
        except ValueError:
            return False
        return any(here in ip_network(network) for network in self.settings.proxies)


def site_of(request: HTTPConnection) -> Site:
    found: Site = request.app.state.site
    return found
