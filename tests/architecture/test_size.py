"""Nothing grows past what a reader takes in at once: function 60 lines, class 300, file 500.

Split by subject, not by line count. An exception is named here, with the reason it stays.
"""

from __future__ import annotations

import ast

FUNCTION_LINES = 60
CLASS_LINES = 300
FILE_LINES = 500

EXCEPTIONS: dict[str, str] = {}
"""`path` or `path:name` to the reason why it may be larger."""


def test_no_file_class_or_function_is_larger_than_the_house_allows(sources):
    too_large = []
    for source in sources:
        lines = source.text.count("\n")
        if lines > FILE_LINES:
            too_large.append((source.path, f"{source.path}: file of {lines} lines"))
        for node in ast.walk(source.tree):
            limit = _limit(node)
            size = (getattr(node, "end_lineno", 0) or 0) - getattr(node, "lineno", 0) + 1
            if limit and size > limit:
                name = f"{source.path}:{node.name}"
                too_large.append((name, f"{name}: {size} lines, {limit} allowed"))
    assert [told for name, told in too_large if name not in EXCEPTIONS] == []
    assert set(EXCEPTIONS) <= {name for name, _ in too_large}, "an exception is no longer needed"


def _limit(node: ast.AST) -> int:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return FUNCTION_LINES
    return CLASS_LINES if isinstance(node, ast.ClassDef) else 0
