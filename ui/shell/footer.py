"""The line at the foot: how much of the site is live, and how fresh."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from ui.widgets.labels import ElidedLabel, label


class Footer(QFrame):
    """Left: scope and freshness. Right: what went wrong inside, once, in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("footer")
        self.setFixedHeight(28)
        self._scope = label("", "scope")
        self._fresh = ElidedLabel()
        self._right = label()
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(8)
        row.addWidget(self._scope)
        row.addWidget(self._fresh, 1)
        row.addWidget(self._right)

    @property
    def sentence(self) -> str:
        """What the left side says."""
        return f"{self._scope.text()} {self._fresh.text()}".strip()

    def show_state(self, scope: str, fresh: str) -> None:
        """How much is live, and how old the newest reading is."""
        self._scope.setText(scope)
        self._fresh.setText(fresh)

    def show_right(self, text: str) -> None:
        """The rate of readings, or a fault inside the program."""
        self._right.setText(text)
