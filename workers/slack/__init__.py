"""Slack's Web API, as far as messages, threads and rooms need it."""
