"""settings.toml: what a person wrote stays, and what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest
from app.settings.file import load, save
from app.settings.schema import Settings


def test_a_missing_file_means_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path / "settings.toml")
    assert loaded.settings == Settings()
    assert loaded.problems == ()


def test_values_are_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[network]\nat_once = 8\nconnects_per_s = 5\n[site]\nname = "Depot"\n')
    settings = load(path).settings
    assert (settings.network.at_once, settings.network.connects_per_s) == (8, 5)
    assert settings.site.name == "Depot"


@pytest.mark.parametrize(
    "text",
    [
        "[network]\nat_once = 'many'\n",
        "[network]\nat_once = 9999\n",
        "[network]\nat_once = 1.5\n",
        "[network]\nconnects_per_s = nan\n",
        "[network]\ndiscovery = 1\n",
        "[site]\nname = 4\n",
        "site = 3\n",
    ],
)
def test_a_wrong_value_takes_its_default_and_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    loaded = load(path)
    assert loaded.settings == Settings()
    assert len(loaded.problems) == 1


def test_a_malformed_file_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[network\nat_once = 8\n")
    loaded = load(path)
    assert loaded.settings == Settings()
    assert "line 1" in loaded.problems[0]
    with pytest.raises(InvalidRequest):
        save(path, "network", "at_once", 4)
    assert path.read_text() == "[network\nat_once = 8\n"


def test_comments_and_unknown_keys_survive_a_change(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# mine\n[network]\nat_once = 8 # gently\n[later]\nkey = 'kept'\n")
    save(path, "network", "at_once", 4)
    text = path.read_text()
    assert "# mine" in text
    assert "# gently" in text
    assert "kept" in text
    assert load(path).settings.network.at_once == 4


def test_an_unknown_setting_or_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    with pytest.raises(InvalidRequest):
        save(path, "network", "speed", 4)
    with pytest.raises(InvalidRequest):
        save(path, "network", "at_once", 0)
    assert not path.exists()


@given(content=st.binary(max_size=200))
def test_no_content_stops_the_program(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.toml"
    path.write_bytes(content)
    load(path)
