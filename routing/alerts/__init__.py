"""What an event means: classified, counted, recognised, grouped, muted; it opens, joins or ends alerts."""
