"""Devices: what is there, how it is reached, what it says."""
