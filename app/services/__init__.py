"""Use cases: what the window and the command line ask the program to do."""
