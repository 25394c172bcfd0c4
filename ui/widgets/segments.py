"""A row of buttons of which exactly one is down, with counts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QPushButton, QWidget


class Segments(QWidget):
    """Segments by index. Tab reaches the one that is down; the arrow keys move it."""

    picked = Signal(int)

    def __init__(self, words: Sequence[str], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = tuple(words)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for at, word in enumerate(self._words):
            button = _Segment(word, self)
            button.setProperty("segment", _place(at, len(self._words)))
            button.setAccessibleName(word)
            self._group.addButton(button, at)
            row.addWidget(button)
        self._group.idClicked.connect(self._on_clicked)
        self.pick(0)

    @property
    def current(self) -> int:
        """The index of the segment that is down, -1 while none is."""
        return self._group.checkedId()

    def button(self, at: int) -> QAbstractButton:
        """One of the segments."""
        return self._group.button(at)

    def pick(self, at: int) -> None:
        """Put a segment down without telling anybody."""
        self._group.button(at).setChecked(True)
        for each in self._group.buttons():
            each.setFocusPolicy(
                Qt.FocusPolicy.TabFocus if each.isChecked() else Qt.FocusPolicy.ClickFocus
            )

    def clear(self) -> None:
        """Let no segment be down: the state is not known."""
        self._group.setExclusive(False)
        for each in self._group.buttons():
            each.setChecked(False)
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._group.setExclusive(True)

    def set_counts(self, counts: Sequence[int]) -> None:
        """Write a number behind every word."""
        for at, (word, count) in enumerate(zip(self._words, counts, strict=True)):
            text = f"{word}  {count}"
            if self._group.button(at).text() != text:
                self._group.button(at).setText(text)
                self._group.button(at).setAccessibleName(f"{word}, {count}")

    def step(self, by: int) -> None:
        """Move to the next or previous segment, as the arrow keys do."""
        at = max(0, min(len(self._words) - 1, self.current + by))
        if at != self.current:
            self.pick(at)
            self._group.button(at).setFocus(Qt.FocusReason.TabFocusReason)
            self.picked.emit(at)

    @Slot(int)
    def _on_clicked(self, at: int) -> None:
        self.pick(at)
        self.picked.emit(at)


class _Segment(QPushButton):
    def __init__(self, word: str, owner: Segments) -> None:
        super().__init__(word, owner)
        self._owner = owner
        self.setCheckable(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        by = steps.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
        else:
            self._owner.step(by)


def _place(at: int, count: int) -> str:
    if count == 1:
        return "only"
    return "first" if at == 0 else "last" if at == count - 1 else "middle"
