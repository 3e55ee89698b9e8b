"""Runbooks as the fold sees them: which starts, which step is next, what it may, how it ends."""
