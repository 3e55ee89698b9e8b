"""What is decided and over, moved out of Redis into one SQLite file under the data directory.

`sweep` moves, `Archive` reads. Nothing on the path of a page touches either.
"""

from ledger.archive.database import Archive, ArchivedEntry, ArchivedIncident, ArchiveError
from ledger.archive.moving import Swept, sweep

__all__ = ["Archive", "ArchiveError", "ArchivedEntry", "ArchivedIncident", "Swept", "sweep"]
