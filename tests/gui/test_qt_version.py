"""Guards against a Qt for Python that loses references to None (6.12.0 on Python 3.11)."""

import sys

import pytest
from PySide6.QtWidgets import QLabel


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from 3.12 on")
def test_setting_texts_does_not_use_up_none(qapp, qtbot):
    label = QLabel()
    qtbot.addWidget(label)
    label.setText("warm")
    before = sys.getrefcount(None)
    for at in range(200):
        label.setText(str(at))
    assert sys.getrefcount(None) > before - 100
