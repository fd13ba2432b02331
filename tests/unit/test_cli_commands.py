"""Every command on the fake driver, within this process: what it prints and how it ends."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from banger_tui.cli import main as cli_main
from banger_tui.cli.context import Handover
from banger_tui.cli.operation import parse_age
from banger_tui.cli.output import Output
from banger_tui.cli.parser import parse
from banger_tui.engine.api import Engine
from banger_tui.engine.errors import BangerError, BootFailed, InvalidInput
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings


@dataclass
class Result:
    code: int | Handover
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    fake = FakeDriver(boot_seconds=0.01)

    def open_engine(paths: Paths, settings: Settings) -> Engine:
        return Engine(paths, settings, driver=fake)

    monkeypatch.setattr(cli_main, "open_engine", open_engine)
    return fake


@pytest.fixture
def cli(driver: FakeDriver, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run a command line as ``main`` does, in the test's own event loop."""

    async def run(*argv: str) -> Result:
        out = Output(json="--json" in argv)
        code: int | Handover
        try:
            code = await cli_main.carry_out(parse(argv), out)
        except BangerError as error:
            code = cli_main.told(error, out)
        return Result(code, *capfd.readouterr())

    return run


async def test_the_life_of_a_vm(cli: Cli) -> None:
    created = await cli("vm", "create", "--name", "web", "--memory", "256M", "--cpus", "2")
    assert (created.code, created.out) == (0, "web\n")
    assert "✓ create web" in created.err

    listed = await cli("vm", "list")
    header, row = listed.out.splitlines()
    assert header.split() == ["NAME", "STATE", "CPUS", "MEMORY", "SINCE", "ADDRESS", "IMAGE"]
    assert row.split()[:5] == ["web", "●", "running", "2", "256M"]

    assert (await cli("vm", "stop", "web")).code == 0
    assert "○ stopped" in (await cli("vm", "list")).out
    assert (await cli("vm", "start", "web")).code == 0
    assert (await cli("vm", "restart", "web")).code == 0
    assert (await cli("vm", "kill", "web")).code == 0
    assert (await cli("vm", "delete", "--yes", "web")).code == 0
    assert (await cli("vm", "list")).out == "No VMs yet. Make one: banger-tui vm run\n"


async def test_operations_are_json_lines_with_a_result(cli: Cli) -> None:
    created = await cli("vm", "create", "--name", "web", "--json")
    assert created.err == ""
    *operations, result = created.events
    assert {event["event"] for event in operations} == {"operation"}
    assert operations[-1]["state"] == "done"
    assert operations[-1]["kind"] == "create"
    assert result["event"] == "result"
    assert result["ok"] is True
    assert result["vm"]["name"] == "web"
    assert result["operation"] == operations[-1]["id"]

    deleted = await cli("--json", "vm", "delete", "-y", "web")
    assert deleted.events[-1]["deleted"] == "web"


async def test_lists_and_shows_are_one_document(cli: Cli) -> None:
    assert (await cli("vm", "list", "--json")).document == []
    await cli("vm", "create", "--name", "web")
    vms = (await cli("vm", "list", "--json")).document
    assert [(vm["name"], vm["state"]) for vm in vms] == [("web", "running")]
    assert vms[0]["address"].startswith("127.0.0.1:")
    assert (await cli("vm", "show", "web", "--json")).document["id"] == vms[0]["id"]
    (image,) = (await cli("image", "list", "--json")).document
    assert (await cli("image", "show", image["name"], "--json")).document["name"] == image["name"]
    (kernel,) = (await cli("kernel", "list", "--json")).document
    shown = (await cli("kernel", "show", kernel["name"], "--json")).document
    assert shown["version"] == kernel["version"]
    operations = (await cli("operation", "list", "--json")).document
    kinds = [operation["kind"] for operation in operations]
    assert sorted(kinds) == ["create", "pull image", "pull kernel"]
    shown = (await cli("operation", "show", operations[0]["id"], "--json")).document
    assert shown["state"] == "done"
    offered = (await cli("image", "catalog", "--json")).document
    assert {entry["name"] for entry in offered if entry["here"]} == {"debian-bookworm"}
    assert {"busybox", "debian-bookworm-slim", "alpine"} < {entry["name"] for entry in offered}


async def test_tables_for_people(cli: Cli) -> None:
    await cli("vm", "create", "--name", "web", "--image", "busybox")
    assert "busybox" in (await cli("image", "list")).out
    assert "debian-bookworm-cloud" in (await cli("kernel", "list")).out
    assert "✓ create web" in (await cli("operation", "show", await _first(cli, "create"))).out
    shown = (await cli("vm", "show", "web")).out
    assert "● running" in shown
    assert "fake" in shown
    assert "✓" in (await cli("kernel", "catalog")).out


async def _first(cli: Cli, kind: str) -> str:
    operations = (await cli("operation", "list", "--json")).document
    found: str = next(o["id"] for o in operations if o["kind"] == kind)
    return found[:6]


@pytest.mark.parametrize("area", ["vm", "image", "kernel", "operation"])
async def test_an_empty_list_says_what_to_do(cli: Cli, area: str) -> None:
    listed = await cli(area, "list")
    assert listed.code == 0
    assert "banger-tui" in listed.out
    assert listed.err == ""


async def test_images_and_kernels_come_and_go(cli: Cli) -> None:
    pulled = await cli("image", "pull", "busybox", "--json")
    assert pulled.events[-1]["image"]["name"] == "busybox"
    again = await cli("kernel", "pull", "debian-bookworm-cloud")
    assert again.code == 0
    assert (await cli("image", "delete", "-y", "busybox")).err == "Deleted image busybox.\n"
    gone = await cli("kernel", "delete", "-y", "debian-bookworm-cloud", "--json")
    assert gone.events[-1] == {"event": "result", "ok": True, "deleted": "debian-bookworm-cloud"}


async def test_a_commands_output_and_code_pass_through(cli: Cli) -> None:
    ran = await cli("vm", "run", "--rm", "--name", "once", "--", "sh", "-c", "uname -a; exit 7")
    assert ran.code == 7
    assert ran.out == "Linux once 6.1.0-fake\n"
    assert (await cli("vm", "list", "--json")).document == []


async def test_without_rm_the_vm_stays(cli: Cli) -> None:
    ran = await cli("vm", "run", "--name", "kept", "--", "echo", "hello")
    assert (ran.code, ran.out) == (0, "hello\n")
    assert "kept runs on" in ran.err
    executed = await cli("vm", "exec", "kept", "--", "sh", "-c", "exit 3")
    assert executed.code == 3


async def test_a_commands_output_as_events(cli: Cli) -> None:
    ran = await cli(
        "vm", "run", "--rm", "--json", "--name", "once", "--", "sh", "-c", "uname; exit 7"
    )
    outputs = [event for event in ran.events if event["event"] == "output"]
    assert outputs == [{"event": "output", "stream": "stdout", "text": "Linux once 6.1.0-fake\n"}]
    assert ran.events[-1]["exit_code"] == 7
    assert ran.code == 7


async def test_a_failed_exec_still_deletes(cli: Cli, driver: FakeDriver) -> None:
    async def crash(vm_id: str) -> None:
        driver.vmms[vm_id].crash()

    driver.hooks["wait_ready"] = crash
    ran = await cli("vm", "run", "--rm", "--name", "once", "--", "true")
    assert ran.code == 1
    assert "error: " in ran.err
    assert (await cli("vm", "list", "--json")).document == []


async def test_detached(cli: Cli) -> None:
    ran = await cli("vm", "run", "-d", "--name", "back")
    assert (ran.code, ran.out) == (0, "back\n")
    assert (await cli("vm", "list", "--json")).document[0]["state"] == "running"


async def test_a_failure_is_title_reason_and_hint(cli: Cli, driver: FakeDriver) -> None:
    driver.failures["wait_ready"] = BootFailed("The guest never came up", "No word.", "Try more.")
    failed = await cli("vm", "create", "--name", "web")
    assert failed.code == 1
    assert failed.out == ""
    assert failed.err.endswith("error: The guest never came up\nNo word.\nhint: Try more.\n")
    assert "✗ create web" in failed.err

    failed = await cli("vm", "create", "--name", "web", "--json")
    assert json.loads(failed.err)["error"]["kind"] == "BootFailed"
    assert failed.events[-1]["event"] == "result"
    assert failed.events[-1]["ok"] is False
    assert failed.events[-1]["error"]["title"] == "The guest never came up"
    assert (await cli("vm", "list", "--json")).document == []


def test_an_unforeseen_failure_is_an_error_too(
    driver: FakeDriver, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(vm_id: str) -> None:
        raise ZeroDivisionError("in the works")

    # As outside of tests: nobody listens to the log.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    driver.hooks["launch"] = broken
    assert cli_main.main(["vm", "create", "-q"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("error: Something went wrong")
    assert "ZeroDivisionError: in the works" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["vm", "show", "nobody"], 1, "nobody"),
        (["vm", "create", "--name", "Bad Name"], 2, "bad-name"),
        (["vm", "create", "--memory", "12Q"], 2, "12Q"),
        (["vm", "create", "--memory", "9999G"], 1, "more than this host has"),
        (["vm", "create", "--cpus", "0"], 2, "cpus"),
        (["vm", "create", "--image", "debian-bokworm"], 1, "debian-bookworm"),
        (["vm", "run"], 2, "-- CMD"),
        (["vm", "run", "--json"], 2, "JSON"),
        (["vm", "run", "-d", "--", "ls"], 2, "vm exec NAME -- CMD"),
        (["vm", "run", "-t", "--", "ls"], 2, "Leave -t out"),
        (["vm", "exec", "web"], 2, "-- uname"),
        (["vm", "shell", "web"], 2, "vm exec web -- CMD"),
        (["vm", "console", "web"], 2, "vm logs -f web"),
        (["vm", "delete", "nobody"], 1, "nobody"),
        (["image", "pull", "nothing-like-it"], 1, "nothing-like-it"),
        (["image", "show", "busybox"], 1, "image pull busybox"),
        (["operation", "show", "ffff"], 1, "operation list"),
        (["operation", "prune", "--older-than", "soon"], 2, "12h"),
        (["operation", "list", "--limit", "0"], 2, "--limit"),
    ],
)
async def test_bad_input_is_told_and_leaves_nothing(
    cli: Cli, argv: list[str], code: int, told: str
) -> None:
    result = await cli(*argv)
    assert result.code == code
    assert told in result.err
    assert "error" in result.err
    assert "Traceback" not in result.err
    assert (await cli("vm", "list", "--json")).document == []


async def test_one_missing_name_does_not_keep_the_others_waiting(cli: Cli) -> None:
    await cli("vm", "create", "--name", "web")
    result = await cli("vm", "stop", "nobody", "web")
    assert result.code == 1
    assert (await cli("vm", "list", "--json")).document[0]["state"] == "stopped"


async def test_nobody_is_asked_where_nobody_is(cli: Cli) -> None:
    await cli("vm", "create", "--name", "web")
    refused = await cli("vm", "delete", "web")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert len((await cli("vm", "list", "--json")).document) == 1


async def test_ssh_hands_over_with_the_words_intact(cli: Cli) -> None:
    await cli("vm", "create", "--name", "web")
    plain = (await cli("vm", "ssh", "web")).code
    assert isinstance(plain, Handover)
    assert plain.argv[0] == "ssh"
    assert plain.argv[-1] == "root@127.0.0.1"
    words = (await cli("vm", "ssh", "web", "--", "sh", "-c", "echo $HOME; exit 7")).code
    assert isinstance(words, Handover)
    assert words.argv[len(plain.argv) :] == ("sh -c 'echo $HOME; exit 7'",)
    line = (await cli("vm", "ssh", "web", "--", "ls | wc -l")).code
    assert isinstance(line, Handover)
    assert line.argv[len(plain.argv) :] == ("ls | wc -l",)


async def test_logs_are_passed_on_byte_by_byte(cli: Cli, tmp_path: object) -> None:
    await cli("vm", "create", "--name", "web")
    vm = (await cli("vm", "show", "web", "--json")).document
    log = Paths.from_environment().vm(vm["id"]) / "console.log"
    log.write_bytes(b"\x1b[1mBooting\x1b[0m\r\nready\r\n")
    assert (await cli("vm", "logs", "web")).out == "\x1b[1mBooting\x1b[0m\r\nready\r\n"
    assert "ready" in (await cli("vm", "logs", "web", "--json")).document["log"]


async def test_pruning_forgets(cli: Cli) -> None:
    await cli("image", "pull", "busybox")
    kept = await cli("operation", "prune", "--json")
    assert kept.events == [{"event": "result", "ok": True, "pruned": 0}]
    assert (await cli("operation", "prune", "--older-than", "0")).out.startswith("Forgot 1 op")
    assert (await cli("operation", "list", "--json")).document == []


async def test_cancelling_what_is_over_says_so(cli: Cli) -> None:
    await cli("image", "pull", "busybox")
    over = await cli("operation", "cancel", await _first(cli, "pull image"))
    assert over.code == 0
    assert "It is over" in over.err


async def test_the_configuration_is_heeded_and_its_faults_are_told(cli: Cli) -> None:
    config = Paths.from_environment().config_file
    config.parent.mkdir(parents=True)
    config.write_text('[machine]\nimage = "busybox"\nmemory = "300M"\ncpus = "many"\n')
    created = await cli("vm", "create", "--name", "web", "--cpus", "2")
    assert created.code == 0
    assert "warning: " in created.err
    assert "cpus" in created.err
    vm = (await cli("vm", "list", "--json")).document[0]
    assert (vm["image"], vm["memory_mib"], vm["cpus"]) == ("busybox", 300, 2)


async def test_a_stopped_vm_can_not_be_entered(cli: Cli) -> None:
    await cli("vm", "create", "--name", "web")
    await cli("vm", "stop", "web")
    for argv in (["exec", "web", "--", "ls"], ["ssh", "web"]):
        refused = await cli("vm", *argv)
        assert refused.code == 1
        assert "hint: Start it first: banger-tui vm start web" in refused.err
    assert (await cli("vm", "logs", "-f", "web")).code == 0


async def test_following_a_log_until_the_vm_ends(cli: Cli, driver: FakeDriver) -> None:
    await cli("vm", "create", "--name", "web")
    (vmm,) = driver.vmms.values()
    following = asyncio.create_task(cli("vm", "logs", "-f", "web", "--json"))
    await asyncio.sleep(0.3)
    vmm.screen.write(b"and more\r\n")
    vmm.crash()
    text = "".join(event["text"] for event in (await following).events)
    assert "Ready" in text
    assert "and more" in text


async def test_doctor(cli: Cli) -> None:
    document = (await cli("doctor", "--json")).document
    assert {check["name"] for check in document["checks"]} >= {"driver", "disk", "state"}
    checked = await cli("doctor")
    assert "driver" in checked.out
    assert checked.code == (0 if document["ok"] else 1)


async def test_doctor_fails_when_something_essential_is_missing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banger_tui.engine.host.find_tool", _nothing_is_installed)
    checked = await cli("doctor")
    assert checked.code == 1
    assert "✗ qemu-img" in checked.out
    assert "apt-get install" in checked.out


def _nothing_is_installed(name: str) -> str:
    from banger_tui.engine.errors import MissingTool

    raise MissingTool(f"{name} is missing", "", "")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90m", 5400), ("1.5h", 5400), ("7d", 604800), ("2w", 1209600)]
)
def test_ages(text: str, seconds: float) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1y", "1e9d"])
def test_no_ages(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_age(text)
