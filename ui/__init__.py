"""The window: one client of the core. Draws what is reported and passes wishes down."""
