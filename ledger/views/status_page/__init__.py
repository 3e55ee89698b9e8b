"""The status page: what customers read, as a page, as JSON and as a feed; nothing but what was said in public."""

from ledger.views.status_page.board import Board, board
from ledger.views.status_page.documents import NAMES, Documents, documents, facts, records

__all__ = ["NAMES", "Board", "Documents", "board", "documents", "facts", "records"]
