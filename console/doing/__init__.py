"""What people do, whichever way they come: each appends its entry, and says what became of it. Nothing is printed."""
