"""Takes in. The internet-facing HTTP process: verify, parse, append, answer."""
