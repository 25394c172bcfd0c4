"""What was observed, kept for years: readings of assets' points, and devices' last known state."""

from app.domain.routes import Route
from app.store.history.statistics import Stats, Step
from app.store.history.store import HistoryStore

__all__ = ["HistoryStore", "Route", "Stats", "Step"]
