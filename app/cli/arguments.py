"""Reading a command line: options of every command, then the group, then its verb."""

from __future__ import annotations

import importlib
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from app.cli.command import Command
from app.domain.errors import InvalidRequest

GROUPS: dict[str, tuple[str, str]] = {
    "devices": ("app.cli.devices", "import, list and find devices"),
    "device": ("app.cli.device", "read, set, edit or diagnose one device"),
    "record": ("app.cli.records", "history of a record, and taking a change back"),
    "history": ("app.cli.history", "what a point reported"),
    "audit": ("app.cli.audit", "prove that the journal is whole"),
}
"""Group to its module and one line of help. A module is imported only when its group is asked for;
it has a tuple `COMMANDS`."""

STREAMS: dict[str, tuple[str, str]] = {
    "run": ("app.cli.run", "hold every device without a window"),
    "simulate": ("app.cli.simulate", "run a simulated building"),
    "demo": ("app.cli.demo", "open the program on a simulated building"),
}
"""Verbs that print a line at a time for as long as they run; a module has `configure`, `stream`."""


@dataclass(frozen=True, slots=True)
class Globals:
    """The options every command takes, before or after its verb."""

    data: str | None = None
    json: bool = False
    version: bool = False


class HelpWanted(Exception):
    """The person asked for help; `text` is it."""

    def __init__(self, text: str) -> None:
        super().__init__("help")
        self.text = text


class Parser(ArgumentParser):
    """argparse that raises instead of printing and leaving."""

    def error(self, message: str) -> NoReturn:
        """Wrong use becomes an error like any other."""
        raise InvalidRequest(
            "usage",
            f"{message[:1].upper()}{message[1:]}.",
            where=self.prog,
            do=f"See {self.prog} --help.",
        )

    def print_help(self, file: object = None) -> NoReturn:  # noqa: ARG002  argparse's signature
        """Help leaves through an exception, so that the caller decides where it is printed."""
        raise HelpWanted(self.format_help())


def split_globals(argv: Sequence[str]) -> tuple[Globals, list[str]]:
    """Take `--data DIR`, `--json` and `--version` out wherever they stand, up to a `--`.

    Raises:
        InvalidRequest: `--data` without a folder.
    """
    data, json, version = None, False, False
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--json":
            json = True
        elif word == "--version" and not rest:
            version = True
        elif word == "--data" or word.startswith("--data="):
            data = word[7:] if "=" in word else next(words, "")
            if not data or data.startswith("--"):
                raise InvalidRequest("usage", "--data names no folder.", do="Write --data DIR.")
        else:
            rest.append(word)
    return Globals(data, json, version), rest


def wants_json(argv: Sequence[str]) -> bool:
    """Whether `--json` stands anywhere, also where the rest cannot be understood."""
    words = list(argv)
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def parse_command(words: Sequence[str], cwd: Path | None = None) -> tuple[Command, Namespace]:
    """The command these words name, with its arguments; its files are found from `cwd`.

    Raises:
        InvalidRequest: no such command, or arguments it does not take.
        HelpWanted: `--help` stands among them.
    """
    module, about = _group(words)
    commands: tuple[Command, ...] = importlib.import_module(module).COMMANDS
    parser = Parser(prog=f"plantroom {words[0]}", description=about, allow_abbrev=False)
    verbs = parser.add_subparsers(metavar="VERB", required=True, parser_class=Parser)
    for command in commands:
        verb = verbs.add_parser(command.path[1], help=command.help, description=command.help)
        command.configure(verb)
        verb.set_defaults(command_=command)
    options = parser.parse_args(list(words[1:]))
    command = options.command_
    del options.command_
    for name in command.files:
        if (value := getattr(options, name, None)) is not None:
            setattr(options, name, _from_folder(value, cwd))
    return command, options


def parse_stream(words: Sequence[str]) -> tuple[str, Namespace]:
    """The module and arguments of `run`, `simulate` or `demo`. Raises like `parse_command`."""
    module, about = STREAMS[words[0]]
    parser = Parser(prog=f"plantroom {words[0]}", description=about, allow_abbrev=False)
    importlib.import_module(module).configure(parser)
    return module, parser.parse_args(list(words[1:]))


def overview() -> str:
    """Help on the whole program, without importing any of it."""
    listed = {**GROUPS, **STREAMS}
    parser = ArgumentParser(
        prog="plantroom",
        usage="plantroom [--data DIR] [--json] GROUP VERB ...",
        description="A desktop console for the people who keep buildings running.\n"
        "Without a command the window opens.",
        epilog="commands:\n" + "\n".join(f"  {n:<10}{text}" for n, (_, text) in listed.items()),
        formatter_class=RawDescriptionHelpFormatter,
        argument_default=SUPPRESS,
    )
    parser.add_argument("--data", metavar="DIR", help="the profile's data folder")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--version", action="store_true", help="say which version this is")
    return parser.format_help()


def _group(words: Sequence[str]) -> tuple[str, str]:
    if words[0] in ("-h", "--help", "help"):
        raise HelpWanted(overview())
    if words[0] not in GROUPS:
        raise InvalidRequest(
            "usage", f"There is no command '{words[0][:60]}'.", do="See plantroom --help."
        )
    return GROUPS[words[0]]


def _from_folder(value: str | Path, cwd: Path | None) -> str | Path:
    if str(value) == "-":
        return value
    kind = type(value) if isinstance(value, Path) else str
    return kind((cwd or Path.cwd()) / Path(value).expanduser())
