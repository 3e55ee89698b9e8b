"""Reports: how one incident went, and how the alarms of a month were; as facts, as Markdown, and as one HTML file."""
