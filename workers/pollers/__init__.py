"""Vendors that can be asked for what we missed, a module each, found by the name of the source's vendor."""
