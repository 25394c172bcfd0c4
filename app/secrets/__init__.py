"""Custody of keys: the master key, where it is kept, and the sealing of single fields."""
