"""The command line: one module per group, each thin."""
