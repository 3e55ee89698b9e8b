"""Dispatch as a job: the resident dispatcher of this process serves until the job's time is over."""

from typing import Final

from ledger import policies
from routing.decide import decide
from routing.policy import Policy
from workers.context import Context
from workers.dispatcher import Dispatcher, Ports
from workers.housekeeping import Housekeeping
from workers.queues import DISPATCH_BUDGET_S, Queues

RESIDENT: Final = "dispatcher:{}"


def carry_out(context: Context, partition: int) -> None:
    """One dispatch job. It leaves lease and state to the next one, and a spare in the queue for it."""
    name = RESIDENT.format(partition)
    dispatcher = context.resident.get(name)
    if dispatcher is None:
        dispatcher = context.resident[name] = build(context)
    dispatcher.serve(context.stopping, DISPATCH_BUDGET_S)
    Queues(context.client).keep_spare(partition)


def build(context: Context) -> Dispatcher:
    queues = Queues(context.client)
    housekeeping = Housekeeping(context.client, context.keys, context.worker)
    ports = Ports(
        decide=decide,
        policies=Shelf(context),
        enqueue=queues.enqueue,
        chores=(housekeeping.run,),
        on_standby=housekeeping.show_alive,
    )
    return Dispatcher(context.client, context.keys, ports)


class Shelf:
    """Policies of the ledger."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def by_version(self, version: str) -> Policy:
        return policies.by_version(self._context.client, self._context.keys, version)

    def current(self) -> Policy | None:
        return policies.current(self._context.client, self._context.keys)
