"""`device read`, `device set`, `device diagnose`, `device edit`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from app.cli.command import Command, Needs, Reply
from app.cli.tables import point_rows, shown, table
from app.domain.errors import InvalidRequest
from app.services.editing import EditRequest, changed_tags
from app.services.values import parse_value

if TYPE_CHECKING:
    from app.records.kinds.device import Device
    from app.services.control import SetOutcome
    from app.services.diagnosis import DiagnosisResult
    from app.services.views import DeviceRow
    from app.wiring import Core


def _device_argument(parser: ArgumentParser) -> None:
    parser.add_argument("device", metavar="ID", help="a device's id, its name or its label")


def _engage(core: Core, text: str) -> Device:
    """Hold the device, and its gateway if it has one."""
    device = core.directory.find(text)
    core.engage([device.tuya_id, device.parent] if device.parent else [device.tuya_id])
    return device


def _read_arguments(parser: ArgumentParser) -> None:
    _device_argument(parser)
    parser.add_argument(
        "point", metavar="POINT", nargs="?", help="a code, or dp:N; all if left out"
    )


def _read(core: Core, arguments: Namespace) -> Reply:
    device = core.directory.find(arguments.device)
    if arguments.point:
        core.directory.point(device, arguments.point)
    if not device.paused:
        _engage(core, device.tuya_id)
    answer = core.control.read_now(device.tuya_id, arguments.point)
    return Reply(answer.document(), point_rows(answer.points))


def _set_arguments(parser: ArgumentParser) -> None:
    _device_argument(parser)
    parser.add_argument("point", metavar="POINT", help="a code, or dp:N")
    parser.add_argument("value", metavar="VALUE", help="JSON, a bare word, on or off")


def _set(core: Core, arguments: Namespace) -> Reply:
    device = core.directory.find(arguments.device)
    spec = core.directory.point(device, arguments.point)
    value = parse_value(arguments.value, spec)
    spec.raw(value)
    if not device.paused:
        _engage(core, device.tuya_id)
    outcome = core.control.set_now(device.tuya_id, arguments.point, value)
    return Reply(outcome.document(), _set_text(outcome), outcome.exit_code)


def _set_text(outcome: SetOutcome) -> str:
    says = shown(outcome.reported, outcome.unit)
    head = f"{outcome.point}: {outcome.outcome.value.replace('_', ' ')}"
    if outcome.outcome.value == "confirmed":
        return f"{head}, the device reports {says} ({outcome.took_ms:.0f} ms)."
    reported = f" The device reports {says}." if outcome.reported is not None else ""
    return f"{head}. {outcome.reason}{reported}"


def _diagnose(core: Core, arguments: Namespace) -> Reply:
    device = core.directory.find(arguments.device)
    if not device.paused:
        _engage(core, device.tuya_id)
    result = core.diagnosis.examine(device.tuya_id)
    return Reply(result.document(), _diagnosis_text(result))


def _diagnosis_text(result: DiagnosisResult) -> str:
    lines = [f"{step.result:<7}  {step.check}: {step.evidence}" for step in result.steps]
    return "\n".join((*lines, "", result.sentence, result.next)).rstrip()


def _edit_arguments(parser: ArgumentParser) -> None:
    _device_argument(parser)
    parser.add_argument("--name", help="what it is called")
    parser.add_argument("--place", metavar="PATH", help="such as 'Level 2/Comms 2.14'; '' for none")
    parser.add_argument(
        "--tags", metavar="LIST", help="words with commas between; +word and -word change the set"
    )
    parser.add_argument(
        "--interval",
        metavar="S",
        type=float,
        help="expected report interval in seconds; 0 for learned",
    )
    paused = parser.add_mutually_exclusive_group()
    paused.add_argument("--pause", action="store_true", help="leave the device alone")
    paused.add_argument("--resume", action="store_true", help="hold it again")


def _edit(core: Core, arguments: Namespace) -> Reply:
    seen = core.editing.seen(arguments.device)
    before = seen.asset.tags if seen.asset else ()
    request = EditRequest(
        name=arguments.name,
        place=None if arguments.place is None else arguments.place.split("/"),
        tags=None if arguments.tags is None else changed_tags(arguments.tags, before),
        interval_s=arguments.interval,
        paused=True if arguments.pause else False if arguments.resume else None,
    )
    if request == EditRequest():
        raise InvalidRequest(
            "device.nothing_to_edit",
            "Nothing to change was given.",
            do="Give --name, --place, --tags, --interval, --pause or --resume.",
        )
    core.editing.edit(seen, request).result()
    row = core.directory.row(seen.device.tuya_id)
    return Reply(row.document(), _row_text(row))


def _row_text(row: DeviceRow) -> str:
    facts = (
        ("Name", row.name),
        ("Place", ", ".join(row.place) or "-"),
        ("Tags", ", ".join(row.tags) or "-"),
        ("Expected interval", f"{row.interval_s:g} s" if row.interval_s else "learned"),
        ("Left alone", "yes" if row.paused else "no"),
    )
    return table(("Device", row.id), facts)


COMMANDS = (
    Command(("device", "read"), "ask a device afresh", _read_arguments, _read, Needs.LINK),
    Command(("device", "set"), "write one point", _set_arguments, _set, Needs.LINK),
    Command(
        ("device", "diagnose"),
        "find out why a device is not reached",
        _device_argument,
        _diagnose,
        Needs.LINK,
    ),
    Command(
        ("device", "edit"),
        "name, place, tags, expected interval, leave alone",
        _edit_arguments,
        _edit,
    ),
)
