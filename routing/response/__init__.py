"""What people and an incident do with each other: who is told, who answers, what is over."""
