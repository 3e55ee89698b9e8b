"""What keeps people from being told too much: grouping, correlation, inhibition, silences, flapping."""
