"""Rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

import pytest

DRAWERS = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
"""Names that say nothing of what is inside."""

QT = {"PySide6", "shiboken6", "pyqtgraph"}
TIME_CALLS = {
    ("time", "time"), ("time", "time_ns"), ("time", "monotonic"), ("time", "monotonic_ns"),
    ("time", "sleep"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"),
}  # fmt: skip
TIME_EXCEPTIONS = {
    "app/runtime/clock.py": "it is the clock",
}


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def test_no_module_or_class_is_named_like_a_drawer(sources):
    offenders = []
    for source in sources:
        words = set(re.split(r"[/_.]", source.path.lower()))
        classes = [node.name for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
        for name in classes:
            words |= {word.lower() for word in re.findall(r"[A-Z][a-z]+", name)}
        offenders += [f"{source.path}: {word}" for word in sorted(words & DRAWERS)]
    assert offenders == []


def test_every_module_says_in_a_docstring_what_it_is_for(sources):
    mute = [s.path for s in sources if s.text.strip() and not ast.get_docstring(s.tree)]
    assert mute == []


def test_app_names_qt_nowhere_not_even_inside_a_function(sources):
    offenders = [
        f"{source.path}:{line} {module}"
        for source in sources
        if source.path.startswith("app/")
        for line, module in _imports(source.tree)
        if module.split(".")[0] in QT
    ]
    assert offenders == []


@pytest.mark.parametrize("package", ["app/domain/", "app/records/"])
def test_the_inner_rooms_stand_on_the_standard_library_alone(sources, package):
    allowed = set(sys.stdlib_module_names) | {"app", "resources"}
    offenders = [
        f"{source.path}:{line} {module}"
        for source in sources
        if source.path.startswith(package)
        for line, module in _imports(source.tree)
        if module.split(".")[0] not in allowed
    ]
    assert offenders == []


def test_only_the_clock_asks_the_computer_for_the_time(sources):
    offenders = []
    for source in sources:
        if not source.path.startswith(("app/", "ui/")) or source.path in TIME_EXCEPTIONS:
            continue
        offenders += [
            f"{source.path}:{node.lineno} {node.value.id}.{node.attr}"
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in TIME_CALLS
        ]
    assert offenders == []


def test_every_thread_of_the_program_has_a_name_and_is_heard_when_it_fails(sources):
    offenders = [
        f"{source.path}:{node.lineno}"
        for source in sources
        if source.path.startswith(("app/", "ui/")) and source.path != "app/runtime/threads.py"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"threading.Thread", "Thread"}
    ]
    assert offenders == [], "use app.runtime.threads.NamedThread"


def test_no_stub_or_note_to_self_is_left_in_the_program(sources):
    marks = re.compile(r"raise NotImplementedError|#\s*(TODO|FIXME|XXX)|pass\s+#\s*(stub|later)")
    offenders = [source.path for source in sources if marks.search(source.text)]
    assert offenders == []


def test_tests_meet_real_parts_and_no_mocks(tracked_texts):
    mocks = re.compile("Magic" + r"Mock|mock\." + r"patch|mocker\.|from unittest import " + "mock")
    offenders = [
        path for path, text in tracked_texts.items() if path.endswith(".py") and mocks.search(text)
    ]
    assert offenders == []
