"""Qt's bindings give back every reference they take.

PySide6 6.12.0 loses one reference to None in almost every call that returns nothing. Python 3.11
starts with a few thousand of them and dies after about as many calls: seconds in a window that
draws charts, while every short test passes. Should a newer release come in with the same fault,
this test tells.
"""

from __future__ import annotations

import sys

import pytest

CALLS = 200


@pytest.mark.qt
def test_setting_a_text_loses_no_reference_to_none(qtbot):
    from PySide6.QtWidgets import QLabel

    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for number in range(CALLS):
        label.setText(str(number))
    assert before - sys.getrefcount(None) < CALLS // 4
