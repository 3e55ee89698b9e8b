"""Shows. The command line operators use; it reads through the ledger and acts by appending entries."""
