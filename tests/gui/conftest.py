"""A window over a small real core, off screen, with the bundled fonts."""

from fakes.window_fixtures import core, open_window, theme

__all__ = ["core", "open_window", "theme"]
