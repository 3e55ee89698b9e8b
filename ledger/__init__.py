"""Remembers. The only package that knows Redis keys: log, state, outbox, leases, dead letters, archive."""
