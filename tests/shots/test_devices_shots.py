"""Pictures of the window from fixed data and a fixed clock; they are looked at, not only stored.

The pictures go to a temporary folder (`--basetemp` keeps them). Two of the same state are equal to
the pixel, nothing is clipped, and nothing overlaps.
"""

import pytest
from fakes.window_core import building
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel

from ui.pages.devices.words import Group
from ui.widgets.labels import ElidedLabel

SIZES = ((1440, 900), (1280, 720))
PUMP = "chilled-water-pump-p-3"


def differing(one, other):
    """How many pixels of two pictures differ by more than 16 in any channel."""
    assert one.size() == other.size()
    a, b = (
        bytes(image.convertToFormat(image.Format.Format_RGB32).constBits())
        for image in (one, other)
    )
    if a == b:
        return 0
    return sum(any(abs(a[at + c] - b[at + c]) > 16 for c in range(3)) for at in range(0, len(a), 4))


def clipped(window):
    """Labels and buttons whose text does not fit where it stands."""
    wrong = []
    for label in window.findChildren(QLabel):
        if not label.isVisible() or isinstance(label, ElidedLabel) or not label.text():
            continue
        if label.wordWrap():
            fits = label.height() >= label.heightForWidth(label.width())
        else:
            fits = label.width() >= label.sizeHint().width()
        if not fits:
            wrong.append(label.text())
    for button in window.findChildren(QAbstractButton):
        need = button.fontMetrics().horizontalAdvance(button.text())
        if button.isVisible() and button.text() and button.width() < need + 4:
            wrong.append(button.text())
    return wrong


def area(window, widget):
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_devices_page_is_whole(core, open_window, theme, qtbot, tmp_path, size, dark):
    core.directory.list = building(188)
    core.pump_history()
    window = open_window(*size)
    theme.choose(dark=dark)
    page = window.devices
    page.select(PUMP)
    page.open_inspector(opened=True)
    qtbot.waitUntil(lambda: "Hatched" in page.chart.note)
    qtbot.waitUntil(page.inspector.point_rows[-1].isVisible)
    qtbot.wait(150)
    picture = window.grab().toImage()
    assert picture.save(str(tmp_path / "devices.png"))
    assert differing(picture, window.grab().toImage()) <= picture.width() * picture.height() / 1000
    assert clipped(window) == []
    parts = [area(window, part) for part in (page.table_card, page.chart, page.inspector)]
    for at, part in enumerate(parts):
        assert not any(part.intersects(other) for other in parts[at + 1 :])
        assert window.rect().contains(part)


@pytest.mark.parametrize("group", [Group.ATTENTION, Group.ASLEEP, Group.UNOBSERVED])
def test_every_segment_is_whole(open_window, qtbot, tmp_path, group):
    window = open_window(1280, 720)
    window.devices.show_group(group)
    window.devices.table.select_first()
    qtbot.wait(100)
    assert window.grab().save(str(tmp_path / f"{group.name.lower()}.png"))
    assert clipped(window) == []


@pytest.mark.parametrize("size", [*SIZES, (1024, 640)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_clipped_where_there_is_nothing_to_show(core, open_window, qtbot, size):
    core.directory.list = []
    window = open_window(*size, wait=False)
    qtbot.waitUntil(lambda: "No devices yet" in window.devices.notice.sentence)
    qtbot.wait(50)
    assert clipped(window) == []


def test_both_appearances_are_light_and_dark(open_window, theme, qtbot):
    window = open_window()
    qtbot.wait(100)
    light = window.grab().toImage()
    theme.choose(dark=True)
    qtbot.wait(100)
    dark = window.grab().toImage()
    smooth = Qt.TransformationMode.SmoothTransformation
    ratio = Qt.AspectRatioMode.IgnoreAspectRatio
    assert light.scaled(1, 1, ratio, smooth).pixelColor(0, 0).lightness() > 180
    assert dark.scaled(1, 1, ratio, smooth).pixelColor(0, 0).lightness() < 60
