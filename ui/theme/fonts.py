"""The bundled typeface, so that every computer shows the same letters."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF

from app.domain.errors import EnvironmentLacks

FAMILY = "Inter"
REGULAR = QFont.Weight.Normal
MEDIUM = QFont.Weight.Medium
STRONG = QFont.Weight.DemiBold


def load_fonts() -> None:
    """Register the bundled files with Qt; needs a QGuiApplication.

    Raises:
        EnvironmentLacks: a font file is missing from this installation or broken.
    """
    for weight in ("Regular", "Medium", "SemiBold"):
        name = f"Inter-{weight}.ttf"
        try:
            content = files("resources").joinpath("fonts", name).read_bytes()
        except OSError:
            content = b""
        if not content or QFontDatabase.addApplicationFontFromData(QByteArray(content)) < 0:
            raise EnvironmentLacks(
                "window.font",
                f"The font file {name} is missing or broken.",
                where="resources/fonts",
                do="Install Plantroom again.",
            )


@cache
def font(size_px: int, weight: QFont.Weight = REGULAR, *, tabular: bool = False) -> QFont:
    """The typeface at `size_px`. `tabular` gives every digit one width, for columns of numbers."""
    result = QFont(FAMILY)
    result.setPixelSize(size_px)
    result.setWeight(weight)
    result.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if tabular:
        result.setFeature(QFont.Tag("tnum"), 1)
    return result


@cache
def metrics(
    size_px: int, weight: QFont.Weight = REGULAR, *, tabular: bool = False
) -> QFontMetricsF:
    """Widths in the same font."""
    return QFontMetricsF(font(size_px, weight, tabular=tabular))
