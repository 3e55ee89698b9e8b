"""The supervisor's children, all together: started, listened to, started again, stopped at once."""

import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from routing.policy import Policy
from workers import queues
from workers.children import Child, Say, Spec
from workers.environment import Role, environment_of, harmless
from workers.forking import ForkServer

WORKER: Final = "workers.serving:main"
_POLL_S: Final = 0.02
SPECS: Final = (
    Spec("receiver", Role.RECEIVER, "console.main:main", ("receiver",), "takes in webhooks"),
    Spec("dispatch-1", Role.DISPATCH, WORKER, (queues.DISPATCH,), "decides, or stands by"),
    Spec("dispatch-2", Role.DISPATCH, WORKER, (queues.DISPATCH,), "decides, or stands by"),
    Spec("urgent", Role.DELIVER, WORKER, (queues.URGENT,), "pages people"),
    Spec("deliver", Role.DELIVER, WORKER, (queues.DELIVER,), "sends what is not urgent"),
    Spec("remediate", Role.REMEDIATE, WORKER, (queues.REMEDIATE,), "carries out runbooks"),
    Spec("evidence", Role.REMEDIATE, WORKER, (queues.EVIDENCE,), "finds what people will go on from"),
    Spec("watchdog", Role.WATCHDOG, "console.main:main", ("watchdog",), "watches that work moves"),
    Spec("prober", Role.PROBER, "workers.prober:main", (), "looks whether all is well"),
    Spec("console", Role.CONSOLE, "console.main:main", ("console",), "shows operators what is going on"),
    Spec("upkeep", Role.UPKEEP, "workers.upkeep:main", (), "keeps the queues clean and the archive fed"),
)
PRELOADED: Final = (
    "receiver.serve", "workers.serving", "workers.dispatch", "workers.deliver", "workers.remediate",
    "workers.watchdog", "workers.prober", "workers.upkeep", "routing.load",
)  # fmt: skip
"""What most children need, imported once for all of them; what only one needs it imports by itself."""


def fork_server(environ: Mapping[str, str], folder: Path) -> ForkServer:
    """The one that children are made by; to be started before anything else that takes time.

    `folder`: the configuration's, if it is on this machine.
    """
    return ForkServer(harmless(environ), PRELOADED, folder)


class Family:
    """`forking` makes them; `on_death` gets what died and its pid.

    Holds the pipe whose end is the end of all children.
    """

    def __init__(
        self,
        forking: ForkServer,
        environ: Mapping[str, str],
        say: Say,
        on_death: Callable[[Spec, int], None],
        specs: Sequence[Spec] = SPECS,
    ) -> None:
        self._forking = forking
        self._environ = environ
        self._say = say
        self._on_death = on_death
        self.children = [Child(spec, say) for spec in specs]
        self._environments: dict[Role, dict[str, str]] = {}
        self._of: Policy | None = None
        self._reading, self._writing = os.pipe()

    def turn(self, policy: Policy, wait_s: float) -> None:
        """Pass on what they print for at most `wait_s`, then look after each."""
        outputs = {child.output: child for child in self.children if child.output is not None}
        for output in select.select(list(outputs), [], [], wait_s)[0]:
            outputs[output].listen()
        if policy is not self._of:  # each turn, ten times a second, it would be half of our work
            roles = {child.spec.role for child in self.children}
            self._environments = {role: environment_of(role, self._environ, policy) for role in roles}
            self._of = policy
        for child in self.children:
            self._look_after(child)

    def _look_after(self, child: Child) -> None:
        died = child.reap()
        if died is not None:
            self._on_death(child.spec, died)
        environment = self._environments[child.spec.role]
        if child.due:
            child.start(self._forking, environment, self._reading)
        elif child.pid and child.environment != environment:
            child.environment = environment  # said once
            self._say(child.spec.name, "is started again: the configuration gives it other variables")
            child.signal(signal.SIGTERM)

    def complete(self) -> bool:
        """Whether each of them has been started and not found dead."""
        return all(child.pid for child in self.children)

    def stop(self, deadline_s: float) -> None:
        """Ask all at once; end by force who still runs at the deadline."""
        self._signal(signal.SIGTERM)
        if not self._gone_within(deadline_s):
            self._signal(signal.SIGKILL)
            self._gone_within(deadline_s)
        os.close(self._writing)
        os.close(self._reading)

    def _signal(self, sign: signal.Signals) -> None:
        for child in self.children:
            child.signal(sign)

    def _gone_within(self, deadline_s: float) -> bool:
        until = time.monotonic() + deadline_s
        while time.monotonic() < until:
            for child in self.children:
                if child.output is not None:
                    child.listen()
                child.reap()
            if not any(child.pid for child in self.children):
                return True
            time.sleep(_POLL_S)
        return False
