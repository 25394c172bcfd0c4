import sys

import pytest

from app.domain.errors import EnvironmentLacks
from ui import preflight


def test_a_missing_library_is_named_with_its_package_and_one_command(monkeypatch):
    monkeypatch.setattr(preflight, "_ALWAYS", {"libnothing-of-ours.so.9": "libnothing9"})
    if sys.platform != "linux":
        pytest.skip("packages are named on Linux only")
    with pytest.raises(EnvironmentLacks) as caught:
        preflight.check(screen=False, environment={})
    assert caught.value.exit_code == 3
    assert caught.value.do == "Run: sudo apt install libnothing9"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_no_display_is_said_before_qt_could_abort(monkeypatch):
    monkeypatch.setattr(preflight, "_ALWAYS", {})
    monkeypatch.setattr(preflight, "_ON_A_SCREEN", {})
    with pytest.raises(EnvironmentLacks) as caught:
        preflight.check(screen=True, environment={})
    assert caught.value.code == "window.no_display"


def test_off_screen_needs_no_display(monkeypatch):
    monkeypatch.setattr(preflight, "_ALWAYS", {})
    preflight.check(screen=False, environment={})


def test_looking_for_libraries_does_not_import_qt():
    import subprocess

    code = "import sys, ui.preflight, ui.bootstrap; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
