"""What RQ runs. Ids in, a few lines each; the work itself is one module per task.

The modules are imported when first needed, so that a process carries only what its queue needs; `warm`
does it before the first job comes.
"""

from importlib import import_module
from typing import Final

from workers import context, queues

_MODULE: Final = {
    queues.DISPATCH: "workers.dispatch",
    queues.URGENT: "workers.deliver",
    queues.DELIVER: "workers.deliver",
    queues.REMEDIATE: "workers.remediate",
    queues.EVIDENCE: "workers.remediate",
}


def dispatch(partition: int) -> None:
    import_module(_MODULE[queues.DISPATCH]).carry_out(context.current(), partition)


def deliver(effect_id: str, attempt: int) -> None:
    import_module(_MODULE[queues.DELIVER]).carry_out(context.current(), effect_id, attempt)


def remediate(effect_id: str, attempt: int) -> None:
    import_module(_MODULE[queues.REMEDIATE]).carry_out(context.current(), effect_id, attempt)


def warm(queue: str) -> None:
    """Import what the queue's jobs need, so that the first page does not wait for it."""
    import_module(_MODULE[queue])
