"""Who may send: one flat module a vendor, found by its name."""
