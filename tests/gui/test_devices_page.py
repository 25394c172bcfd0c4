import pytest
from fakes.window_core import NOW_MS, POWER, building, device, view
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QWidget

from app.domain.errors import InvalidRequest, StoreFault
from app.domain.words import Outcome
from app.runtime.events import Changed, LinksChanged, RaiseWindow
from ui.pages.devices.state import Column
from ui.pages.devices.words import Group

PUMP = "chilled-water-pump-p-3"


def names(window):
    model = window.devices.model
    return [model.line(row).name for row in range(model.rowCount())]


def test_the_window_shows_every_device_and_says_what_is_wrong(open_window):
    window = open_window()
    assert window.devices.model.rowCount() == 12
    assert window.devices.header.segments.button(1).text() == "Needs attention  6"
    assert window.footer.sentence.startswith("7 of 12 reached")
    assert window.top_bar.source == "Local network, live · no server set up"
    assert window.devices.table.selected == window.devices.model.line(0).device


def test_whole_rows_only_at_every_size(open_window, qtbot):
    window = open_window()
    for width, height in ((1440, 900), (1280, 720), (1024, 640), (1920, 1080)):
        window.resize(width, height)
        table = window.devices.table
        qtbot.waitUntil(lambda t=table: t.viewport().height() % 44 == 0)
        assert window.devices.chart.geometry().bottom() <= window.devices.height()


def test_only_devices_in_sight_and_the_selected_one_are_followed(core, open_window, qtbot):
    core.directory.list = building(300)
    window = open_window()
    page = window.devices
    shown = page.pump.shown
    assert shown == frozenset(page.table.visible_devices()) | {page.table.selected}
    assert len(shown) < 25
    page.table.scrollToBottom()
    assert page.model.line(page.model.rowCount() - 1).device in page.pump.shown


def test_a_live_value_repaints_its_row_and_no_other(core, open_window, qtbot):
    window = open_window()
    changes = []
    window.devices.model.dataChanged.connect(
        lambda first, last, _roles=None: changes.append((first.row(), last.row()))
    )
    window.devices._second.stop()
    core.say(PUMP, "19", 12_345)
    row = window.devices.model.ledger.row_of(PUMP)
    qtbot.waitUntil(lambda: bool(changes))
    assert set(changes) == {(row, row)}
    assert window.devices.model.line(row).headline.text == "1234 W"


def test_a_value_out_of_sight_repaints_nothing(core, open_window, qtbot):
    core.directory.list = building(300)
    window = open_window()
    hidden = window.devices.model.line(250).device
    changes = []
    window.devices.model.dataChanged.connect(lambda *_: changes.append(1))
    window.devices._second.stop()
    core.say(hidden, "1", 999)
    qtbot.wait(200)
    assert changes == []


def test_a_hidden_window_follows_nothing(core, open_window, qtbot):
    window = open_window()
    window.hide()
    core.say(PUMP, "19", 12_345)
    qtbot.wait(150)
    assert window.devices.model.ledger.find(PUMP).headline.raw == 48_210
    window.show()
    qtbot.waitUntil(lambda: window.devices.model.ledger.find(PUMP).headline.raw == 12_345)


def test_the_filter_narrows_and_escape_gives_the_table_back(open_window, qtbot):
    window = open_window()
    page = window.devices
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert page.header.field.hasFocus()
    qtbot.keyClicks(page.header.field, "plant room")
    assert names(window) == ["Boiler flow temperature", "Chilled-water pump P-3"]
    qtbot.keyClick(page.header.field, Qt.Key.Key_Escape)
    assert page.table.hasFocus()
    assert len(names(window)) == 12


def test_a_filter_that_finds_nothing_says_so_and_offers_the_way_back(open_window, qtbot):
    window = open_window()
    page = window.devices
    page.header.field.setText("zebra")
    assert page.notice.isVisible()
    assert page.notice.sentence == "No device matches Nothing here contains 'zebra'."
    qtbot.mouseClick(page.notice._button, Qt.MouseButton.LeftButton)
    assert page.table.isVisible()
    assert len(names(window)) == 12


def test_a_segment_is_picked_with_the_arrow_keys(open_window, qtbot):
    window = open_window()
    segments = window.devices.header.segments
    segments.button(0).setFocus()
    qtbot.keyClick(segments.button(0), Qt.Key.Key_Right)
    assert window.devices.model.ledger.group is Group.ATTENTION
    assert len(names(window)) == 6


def test_sorting_twice_turns_the_order_round(open_window):
    window = open_window()
    table = window.devices.table
    table.sort_by(Column.ASSET)
    up = names(window)
    table.sort_by(Column.ASSET)
    assert names(window) == up[::-1]
    header = window.devices.model.headerData(1, Qt.Orientation.Horizontal)
    assert header.endswith("↓")


def test_the_selection_stays_on_its_device_when_rows_move(core, open_window, qtbot):
    window = open_window()
    window.devices.select(PUMP)
    core.directory.list = [device("AAA new", points=(view(POWER, 1),)), *building()]
    core.bus.publish(Changed(frozenset({"device"}), None))
    qtbot.waitUntil(lambda: window.devices.model.rowCount() == 13, timeout=4000)
    assert window.devices.table.selected == PUMP
    assert window.devices.inspector.line.device == PUMP


def test_many_changes_read_the_directory_once(core, open_window, qtbot):
    window = open_window()
    asked = core.directory.asked
    for _ in range(200):
        core.bus.publish(LinksChanged(frozenset({PUMP})))
    qtbot.wait(1_300)
    assert core.directory.asked - asked <= 2
    assert window.isVisible()


def test_a_directory_that_fails_says_what_to_do_and_can_be_tried_again(core, open_window, qtbot):
    core.directory.error = StoreFault("store.gone", "The file is gone.", do="Plug the disk in.")
    window = open_window(wait=False)
    notice = window.devices.notice
    qtbot.waitUntil(lambda: "gone" in notice.sentence)
    assert notice.sentence == "The file is gone. Plug the disk in."
    core.directory.error = None
    qtbot.mouseClick(notice._button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(names(window)), timeout=4000)


def test_an_empty_profile_says_how_devices_come_in(core, open_window, qtbot):
    core.directory.list = []
    window = open_window(wait=False)
    qtbot.waitUntil(lambda: "No devices yet" in window.devices.notice.sentence)
    assert window.top_bar.source == "No devices yet"


@pytest.mark.qt_log_ignore("This plugin does not support raise")
def test_a_second_start_brings_the_window_to_the_front(core, open_window, qtbot):
    window = open_window()
    window.showMinimized()
    core.bus.publish(RaiseWindow())
    qtbot.waitUntil(lambda: not window.isMinimized())


def test_switching_shows_what_the_device_reports_not_the_wish(core, open_window, qtbot):
    window = open_window()
    window.devices.select(PUMP)
    [switch] = window.devices.inspector.switches
    assert switch.segments.current == 0
    qtbot.mouseClick(switch.segments.button(1), Qt.MouseButton.LeftButton)
    assert core.control.asked == [(PUMP, "switch_1", False)]
    assert switch.outcome == "Asking the device…"
    assert not switch.segments.isEnabled()
    assert switch.segments.current == 0
    core.say(PUMP, "1", False)
    core.control.end(Outcome.CONFIRMED, reported=False)
    qtbot.waitUntil(lambda: switch.outcome == "Confirmed: the device reports Off.")
    qtbot.waitUntil(lambda: switch.segments.current == 1)
    assert switch.segments.isEnabled()


def test_a_switch_that_is_not_confirmed_stays_where_the_device_says(core, open_window, qtbot):
    window = open_window()
    window.devices.select(PUMP)
    [switch] = window.devices.inspector.switches
    qtbot.mouseClick(switch.segments.button(1), Qt.MouseButton.LeftButton)
    core.control.end(Outcome.UNCONFIRMED, reported=True)
    qtbot.waitUntil(lambda: "Not confirmed" in switch.outcome)
    assert switch.segments.current == 0


def test_a_refused_write_is_told_in_words(core, open_window, qtbot):
    window = open_window()
    window.devices.select(PUMP)
    [switch] = window.devices.inspector.switches
    qtbot.mouseClick(switch.segments.button(1), Qt.MouseButton.LeftButton)
    core.control.future.set_exception(InvalidRequest("x", "The point is locked.", do="Ask first."))
    qtbot.waitUntil(lambda: switch.outcome == "The point is locked. Ask first.")
    assert switch.segments.isEnabled()


def test_an_answer_for_a_device_left_meanwhile_is_not_shown_elsewhere(core, open_window, qtbot):
    window = open_window()
    window.devices.select(PUMP)
    [switch] = window.devices.inspector.switches
    qtbot.mouseClick(switch.segments.button(1), Qt.MouseButton.LeftButton)
    window.devices.select("car-park-lighting,-zone-a")
    core.control.end(Outcome.CONFIRMED, reported=False)
    qtbot.wait(100)
    [other] = window.devices.inspector.switches
    assert other.outcome == ""
    assert window.devices.inspector._control_note.isVisible()
    assert not other.segments.isEnabled()


def test_the_chart_draws_the_past_and_goes_on_live(core, open_window, qtbot):
    core.pump_history()
    window = open_window()
    window.devices.select(PUMP)
    chart = window.devices.chart
    qtbot.waitUntil(lambda: "Hatched" in chart.note)
    before = len(chart._readings(core.clock.now_ms())[0])
    core.clock.advance(1)
    core.say(PUMP, "19", 50_000)
    qtbot.waitUntil(lambda: len(chart._readings(core.clock.now_ms())[0]) == before + 1)
    assert chart._chart.gap_count == 1


def test_another_point_is_charted_when_its_row_is_pressed(core, open_window, qtbot):
    window = open_window()
    window.devices.select("lobby-air-quality")
    row = window.devices.inspector.point_rows[1]
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert window.devices.chart.shown == ("lobby-air-quality", "1")
    assert row.isChecked()


def test_the_chart_lets_go_of_what_it_kept(core, open_window):
    window = open_window()
    window.devices.select(PUMP)
    assert set(core.live._rings) == {(PUMP, "19")}
    window.devices.select("main-incomer")
    assert set(core.live._rings) == {("main-incomer", "19")}
    window.close()
    assert core.live._rings == {}
    assert core.live._watches == ()


def test_the_drawer_opens_and_closes_from_the_keyboard(open_window, qtbot):
    window = open_window(1280, 720)
    page = window.devices
    assert not page.inspector.isVisible()
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    assert page.inspector.isVisible()
    assert page.table_card.geometry().right() < page.inspector.geometry().left()
    qtbot.keyClick(page.table, Qt.Key.Key_Escape)
    assert not page.inspector.isVisible()


def test_tab_reaches_every_control_and_comes_round(open_window, qtbot):
    window = open_window()
    window.devices.select(PUMP)
    qtbot.waitUntil(window.devices.inspector.point_rows[-1].isVisible)
    seen, at = [], QApplication.focusWidget()
    for _ in range(40):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
        if seen[-1] is at:
            break
    page = window.devices
    assert page.table in seen
    assert page.header.field in seen
    assert page.header.order in seen
    assert any(row in seen for row in page.inspector.point_rows)
    assert seen[-1] is at


def test_everything_that_takes_the_focus_has_a_name(open_window, qtbot):
    window = open_window()
    window.devices.select(PUMP)
    qtbot.waitUntil(window.devices.inspector.point_rows[-1].isVisible)
    unnamed = [
        widget
        for widget in window.findChildren(QWidget)
        if widget.isVisible()
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not (
            widget.accessibleName()
            or QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
        )
    ]
    assert unnamed == []


def test_targets_are_large_enough_for_a_finger(open_window):
    window = open_window()
    window.devices.select(PUMP)
    page = window.devices
    for widget in (*page.inspector.point_rows, page.header.order, page.header.field):
        assert widget.height() >= 32


def test_no_machine_word_is_on_screen(open_window):
    from PySide6.QtWidgets import QAbstractButton, QLabel

    window = open_window()
    window.devices.select(PUMP)
    texts = [w.text() for kind in (QLabel, QAbstractButton) for w in window.findChildren(kind)]
    model = window.devices.model
    texts += [
        str(model.data(model.index(row, column)))
        for row in range(model.rowCount())
        for column in range(model.columnCount())
    ]
    words = {word.strip(".,:").lower() for text in texts for word in text.split()}
    assert not words & {"dp", "cid", "outbox", "epoch", "hub", "operation"}


def test_ages_grow_with_the_clock(core, open_window, qtbot):
    window = open_window()
    model = window.devices.model
    row = model.ledger.row_of("main-incomer")
    core.clock.advance(75)
    window.devices._on_second()
    assert model.data(model.index(row, Column.LAST_REPORT)) == "1 min ago"
    assert core.clock.now_ms() > NOW_MS


def test_columns_give_way_before_the_name_does(open_window):
    window = open_window(1024, 640)
    table = window.devices.table
    assert not table.isColumnHidden(Column.PATH)
    window.devices.open_inspector(opened=True)
    assert table.isColumnHidden(Column.PATH)
    assert table.isColumnHidden(Column.LAST_REPORT)
    assert table.columnWidth(Column.ASSET) > 200


def test_the_order_can_be_chosen_from_a_menu(open_window):
    window = open_window()
    actions = {action.text(): action for action in window.devices.header.order.menu().actions()}
    actions["Asset"].trigger()
    assert names(window) == sorted(names(window), key=str.casefold)


def test_a_battery_device_that_sleeps_is_drawn_with_what_the_history_holds(
    core, open_window, qtbot
):
    core.earlier["archive-climate", "va_temperature"] = ((NOW_MS - 400_000,), (214,))
    window = open_window()
    window.devices.select("archive-climate")
    qtbot.waitUntil(lambda: window.devices.chart._chart is not None)
    assert "No report for" in window.devices.chart.note


def test_a_point_that_speaks_in_words_is_not_drawn_as_a_line(core, open_window, qtbot):
    window = open_window()
    window.devices.select("leak-sensor,-riser-4")
    assert window.devices.chart._notice.sentence == "This point speaks in words It says: Dry."
