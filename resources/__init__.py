"""Fonts, icons and tables that ship with the program: data, no logic."""
