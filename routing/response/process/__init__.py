"""Process: how an incident of consequence is run, from the first page to the post-mortem."""
