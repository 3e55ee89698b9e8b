"""Decides. Pure: no clock, environment, network, Redis or files; the same input gives the same decision."""
