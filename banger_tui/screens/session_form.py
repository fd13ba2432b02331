"""The form for a new session."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual.suggester import SuggestFromList

from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import SessionMode, SessionSpec, VmRecord
from banger_tui.screens.form import ChoiceField, Form, TextField

_MODES = {"terminal": SessionMode.PTY, "pipes": SessionMode.PIPE}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be started in a machine."""

    vm_id: str
    spec: SessionSpec


class SessionScreen(Form[NewSession]):
    """A ``NewSession`` when the person starts one.

    Args:
        vms: machines that run; the first is offered.
        taken: (id of a machine, name) of every session that is there.
    """

    def __init__(self, vms: Sequence[VmRecord], taken: Collection[tuple[str, str]]) -> None:
        self._vms = {vm.name: vm for vm in vms}
        self._taken = taken
        names = list(self._vms)
        super().__init__(
            "New session",
            (
                TextField("command", self._judge_command, "", "empty: a login shell", wide=True),
                TextField("machine", self._judge_machine, names[0], names[0],
                          suggester=SuggestFromList(names, case_sensitive=False)),
                ChoiceField("mode", tuple(_MODES), "terminal",
                            "terminal: keeps a screen · pipes: stdout and stderr apart",
                            label="as"),
                TextField("name", self._judge_name, "", "one is made up"),
                TextField("directory", self._judge_directory, "", "where its user starts"),
                TextField("user", str, "", "the image's"),
            ),
            "Start",
        )  # fmt: skip

    @staticmethod
    def _judge_command(text: str) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(text))
        except ValueError as error:
            raise InvalidInput("The quotes do not match", str(error)) from error

    def _judge_machine(self, text: str) -> VmRecord:
        if text not in self._vms:
            raise InvalidInput(f"No machine called {text} runs")
        return self._vms[text]

    @staticmethod
    def _judge_name(text: str) -> str | None:
        if text and not _NAME.fullmatch(text):
            raise InvalidInput("A name has small letters, digits, - and _", "At most 32 of them.")
        return text or None

    @staticmethod
    def _judge_directory(text: str) -> str | None:
        if text and not text.startswith("/"):
            raise InvalidInput("A directory in the guest begins with /")
        return text or None

    def answer(self, values: Mapping[str, Any]) -> NewSession:
        return NewSession(
            values["machine"].id,
            SessionSpec(
                argv=values["command"],
                name=values["name"],
                mode=_MODES[values["mode"]],
                cwd=values["directory"],
                user=values["user"] or None,
            ),
        )
