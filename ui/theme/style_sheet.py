"""The palette and the one style sheet, both generated from the tokens."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from PySide6.QtGui import QColor, QPalette

from ui.theme.tokens import Tokens

_ROLES = {
    QPalette.ColorRole.Window: "surface",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "raised",
    QPalette.ColorRole.AlternateBase: "sunken",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.PlaceholderText: "text3",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on_accent",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Mid: "border",
    QPalette.ColorRole.Light: "raised",
    QPalette.ColorRole.Dark: "border_strong",
}
_DIMMED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)

# A checked segment has a thicker lower edge, so its height gives one pixel back.
_SHEET = Template("""
* { font-family: Inter; font-size: 13px; }
QLabel { color: $text; background: transparent; }
QMainWindow, #root { background: $canvas; }
#rail { background: $rail; }
#rail QToolButton { color: $rail_text; border: none; border-radius: 8px; font-size: 11px;
    font-weight: 500; padding: 5px 0 3px 0; }
#rail QToolButton:checked { background: $rail_selected; color: $rail_on; font-weight: 600; }
#rail QToolButton:focus { border: 2px solid $rail_text; padding: 3px 0 1px 0; }
#top { background: $surface; border-bottom: 1px solid $border; }
#footer { background: $surface; border-top: 1px solid $border; }
#footer QLabel { color: $text2; font-size: 12px; }
#footer #scope { font-weight: 600; }
#inspector { background: $surface; border: none; border-left: 1px solid $border; }
#inspector[drawer="true"] { border: 1px solid $border_strong; border-right: none;
    border-top-left-radius: 8px; }
#card { background: $raised; border: 1px solid $border; border-radius: 8px; }
#rule { background: $border; }
#title { font-size: 20px; font-weight: 600; }
#section { font-size: 15px; font-weight: 600; }
#reading { font-size: 26px; font-weight: 600; }
#dim { color: $text2; }
#caption { color: $text3; font-size: 12px; }
#caption_strong { color: $text2; font-size: 12px; font-weight: 600; }
#value { font-weight: 500; }
QLineEdit { background: $raised; border: 1px solid $border_strong; border-radius: 6px;
    padding: 0 10px; min-height: 34px; color: $text; }
QLineEdit:focus { border: 2px solid $accent; padding: 0 9px; min-height: 32px; }
QPushButton { background: $raised; border: 1px solid $border_strong; border-radius: 6px;
    padding: 0 12px; min-height: 34px; color: $text; font-weight: 500; }
QPushButton:hover { background: $hover; }
QPushButton:focus { border: 2px solid $accent; padding: 0 11px; min-height: 32px; }
QPushButton:disabled { color: $text3; border-color: $border; background: $sunken; }
QPushButton::menu-indicator { width: 0; image: none; }
QPushButton#flat { border: 1px solid transparent; background: transparent; }
QPushButton#flat:hover { background: $hover; }
QPushButton#flat:focus { border: 2px solid $accent; }
QPushButton[segment] { border-radius: 0; border-right-width: 0; min-height: 32px;
    max-height: 32px; padding: 0 10px; color: $text2; }
QPushButton[segment="first"], QPushButton[segment="only"] {
    border-top-left-radius: 6px; border-bottom-left-radius: 6px; }
QPushButton[segment="last"], QPushButton[segment="only"] {
    border-top-right-radius: 6px; border-bottom-right-radius: 6px; border-right-width: 1px; }
QPushButton[segment]:checked { background: $accent_soft; color: $text; font-weight: 600;
    min-height: 31px; max-height: 31px; border-bottom: 2px solid $accent; }
QPushButton[segment]:focus { border: 2px solid $accent; min-height: 30px; max-height: 30px;
    padding: 0 9px; }
QPushButton[segment]:disabled { color: $text3; }
QPushButton[segment]:checked:disabled { background: $sunken; color: $text2;
    border-bottom: 2px solid $border_strong; }
QPushButton#point { border: none; border-radius: 5px; text-align: left; background: transparent;
    min-height: 30px; padding: 0; }
QPushButton#point:hover { background: $hover; }
QPushButton#point:checked { background: $accent_soft; }
QPushButton#point:focus { border: 2px solid $accent; min-height: 26px; padding: 0; }
QTableView { background: $raised; border: none; border-radius: 7px; outline: 0; }
QHeaderView { background: $sunken; border: none; border-top-left-radius: 7px;
    border-top-right-radius: 7px; }
QHeaderView::section { background: transparent; color: $text2; border: none;
    border-bottom: 1px solid $border; padding: 0 12px; font-size: 12px; font-weight: 600;
    height: 32px; }
QHeaderView::section:hover { color: $text; }
QHeaderView::up-arrow, QHeaderView::down-arrow { width: 0; height: 0; image: none; }
QScrollArea, #body { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; background: transparent; margin: 0; }
QScrollBar::handle:vertical { background: $border_strong; border-radius: 3px;
    min-height: 32px; margin: 2px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
    background: none; height: 0; }
QMenu { background: $raised; border: 1px solid $border_strong; padding: 4px; color: $text; }
QMenu::item { padding: 7px 24px 7px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; }
QToolTip { background: $raised; color: $text; border: 1px solid $border_strong; padding: 4px; }
""")


def style_sheet(tokens: Tokens) -> str:
    """The whole application's style sheet in one appearance."""
    return _SHEET.substitute(asdict(tokens))


def palette(tokens: Tokens) -> QPalette:
    """What Fusion draws itself, in the same colours."""
    result = QPalette()
    for role, token in _ROLES.items():
        result.setColor(role, QColor(getattr(tokens, token)))
    for role in _DIMMED:
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.text3))
    return result
