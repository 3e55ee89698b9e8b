"""What providers call back with, one flat module per vendor, found by its name. None of them knows a sibling."""
