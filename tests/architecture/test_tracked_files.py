"""What is tracked holds on every machine: it names no folder of one, and no package index."""

from __future__ import annotations

import re

# Put together here so that this file does not find itself.
MACHINE_PATHS = re.compile(
    "/(" + "|".join(["work", "farm", "root", "tmp/bash" + "_jobs"]) + ")[/.]"
)
INDEX_HOSTS = re.compile(
    "|".join([r"pypi\." + "org", r"python" + r"hosted\.org", r"registry\." + "npmjs"])
    + "|"
    + "|".join([r"deb\.deb" + r"ian\.org", "/opt" + "/pypi"])
)
HOST_IN_A_LOCK = re.compile(r"https?://|^\s*--(extra-)?index-url|^\s*--find-links", re.MULTILINE)


def _offenders(texts: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}: {found.group(0)}"
        for path, text in texts.items()
        if (found := pattern.search(text)) is not None
    ]


def test_no_tracked_file_names_a_folder_of_one_machine(tracked_texts):
    assert _offenders(tracked_texts, MACHINE_PATHS) == []


def test_no_tracked_file_names_a_package_index(tracked_texts):
    assert _offenders(tracked_texts, INDEX_HOSTS) == []


def test_the_locks_name_no_host_at_all(tracked_texts):
    locks = {p: text for p, text in tracked_texts.items() if p.startswith("installer/lock/")}
    assert set(locks) >= {f"installer/lock/{n}.txt" for n in ("core", "ui", "test", "dev")}
    assert _offenders(locks, HOST_IN_A_LOCK) == []
