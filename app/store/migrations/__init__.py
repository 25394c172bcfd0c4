"""Alembic's folder: one revision per change of the console file's tables."""
