"""Backup: everything Tocsin knows in one file, made while it runs, and brought back as it was.

`save` makes it, `restore` brings it back. A backup holds request bodies and phone numbers: keep it as you
keep the database.
"""

from ledger.backup.file import BackupError
from ledger.backup.restoring import Restored, restore
from ledger.backup.saving import Saved, save

__all__ = ["BackupError", "Restored", "Saved", "restore", "save"]
