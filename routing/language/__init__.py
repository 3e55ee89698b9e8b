"""The small languages of the configuration: matchers, conditions, placeholders."""
