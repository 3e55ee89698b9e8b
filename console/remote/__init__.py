"""The command line against a console elsewhere: the same commands, by its API instead of the store."""
