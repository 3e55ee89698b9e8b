"""Stripe: what its actions do, by what they do it to."""
