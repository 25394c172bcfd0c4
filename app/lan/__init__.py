"""Devices on the local network: transport, framing, sessions, liveness, discovery, diagnosis."""
