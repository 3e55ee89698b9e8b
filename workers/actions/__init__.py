"""What runbook steps may do, one flat module per vendor, found by its name. None of them knows a sibling."""
