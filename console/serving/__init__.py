"""The process that operators' browsers and programs talk to."""
