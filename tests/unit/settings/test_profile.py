"""Where a profile lives and what is said when it cannot."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.errors import EnvironmentLacks, InvalidRequest, Refused
from app.settings.lock import ProfileLock
from app.settings.profile import Profile, file_system, locate


def test_the_option_goes_before_the_environment(tmp_path: Path) -> None:
    environ = {"PLANTROOM_DATA": str(tmp_path / "environment")}
    assert locate(str(tmp_path / "option"), environ).data == tmp_path / "option"
    assert locate(None, environ).data == tmp_path / "environment"


def test_a_relative_folder_is_found_from_where_the_person_stands(tmp_path: Path) -> None:
    assert locate("here", {}, cwd=tmp_path).data == tmp_path / "here"


def test_the_demo_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    real, demo = locate(None, {}), locate(None, {}, demo=True)
    assert demo.data.name == real.data.name + "-demo"
    assert demo.data.parent == real.data.parent


def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "deep" / "profile")
    profile.prepare()
    assert stat.S_IMODE(profile.data.stat().st_mode) == 0o700


def test_a_folder_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    Profile(folder).prepare()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InvalidRequest) as caught:
        locate(str(file), {})
    assert caught.value.where == str(file)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentLacks) as caught:
        Profile(tmp_path / "file" / "profile").prepare()
    assert caught.value.code == "data.not_writable"
    assert caught.value.do


def test_the_longest_mount_point_says_the_file_system(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("disk / ext4 rw 0 0\nserver:/x /srv/my\\040share nfs4 rw 0 0\n")
    assert file_system(Path("/srv/my share/profile"), mounts) == "nfs4"
    assert file_system(Path("/srv/other"), mounts) == "ext4"
    assert file_system(Path("/srv"), tmp_path / "missing") is None


def test_the_lock_is_held_once_and_given_back(tmp_path: Path) -> None:
    first, second = ProfileLock(tmp_path / "lock"), ProfileLock(tmp_path / "lock")
    assert first.acquire()
    assert not second.acquire()
    with pytest.raises(Refused, match="open"), second:
        pass
    first.release()
    with second:
        pass


def test_the_lock_is_free_again_after_its_holder_was_killed(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from app.settings.lock import ProfileLock\n"
        "lock = ProfileLock(pathlib.Path(sys.argv[1])); assert lock.acquire()\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        lock = ProfileLock(tmp_path / "lock")
        assert not lock.acquire()
        holder.kill()
        holder.wait()
    assert lock.acquire()
    lock.release()
    assert (tmp_path / "lock").stat().st_size == 0


@pytest.mark.parametrize("path", ["x" * 300, "/".join(["x" * 200] * 5), "/".join(["x"] * 4000)])
def test_a_path_too_long_for_a_database_is_said(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        locate(path, {}, cwd=tmp_path)
    assert caught.value.code == "data.path_too_long"
