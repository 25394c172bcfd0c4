"""Plantroom without a window: devices, records, readings and the rules between them."""

__version__ = "0.1.0"
