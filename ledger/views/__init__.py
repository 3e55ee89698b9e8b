"""The read side: what operators ask about, answered from Redis and the archive together. Changes nothing."""

from ledger.views.backlog import backlog
from ledger.views.incidents import Page, Wanted, detail, page
from ledger.views.life import Life, why
from ledger.views.status import status
from ledger.views.store import Store, Whole

__all__ = ["Life", "Page", "Store", "Wanted", "Whole", "backlog", "detail", "page", "status", "why"]
