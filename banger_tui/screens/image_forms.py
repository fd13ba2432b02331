"""The short forms of the images' screen: register, promote, export, push."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual.suggester import SuggestFromList

from banger_tui.engine.catalog.load import near
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import VmRecord, VmState
from banger_tui.engine.oci.reference import parse
from banger_tui.screens import paths_typed
from banger_tui.screens.form import ChoiceField, Form, TextField
from banger_tui.screens.requests import ExportImage, PromoteMachine, PushImage, RegisterImage
from banger_tui.widgets import units
from banger_tui.widgets.artefact_rows import named

_NO, _YES = "no", "yes"
_PROMOTABLE = (VmState.STOPPED, VmState.FAILED)


def new_name(text: str, here: Collection[str], thing: str = "image") -> str:
    """A name for something new.

    Raises:
        InvalidInput: there is none, or it is taken.
    """
    if not text:
        raise InvalidInput(f"Say what the {thing} is called")
    if text in here:
        raise InvalidInput(f"There is a {thing} called {text} already".replace("a i", "an i"))
    return text


class RegisterScreen(Form[RegisterImage]):
    """A root filesystem on this host's disk becomes an image.

    Args:
        here: names of images that are here.
        kernels: names of kernels that are here.
    """

    def __init__(self, here: Collection[str], kernels: Sequence[str]) -> None:
        self._here = here
        super().__init__(
            "Register a root filesystem",
            (
                TextField(
                    "file", self._judge_file, "", "path of an ext4 filesystem in a file",
                    look=paths_typed.size_of, suggester=paths_typed.PathSuggester(), wide=True,
                ),
                TextField("name", self._judge_name, label="call it"),
                TextField("kernel", str, "", "the default one",
                          about=lambda text: "" if text else "a name, or a file",
                          suggester=paths_typed.PathSuggester(kernels)),
                ChoiceField("in_place", (_NO, _YES), _NO,
                            "yes: used where it is, never copied",
                            label="in place"),
            ),
            "Register",
        )  # fmt: skip

    @staticmethod
    def _judge_file(text: str) -> Path:
        if not text:
            raise InvalidInput("Say which file", "", "For example: /srv/rootfs.ext4")
        return paths_typed.absolute(text)

    def _judge_name(self, text: str) -> str:
        return new_name(text, self._here)

    def answer(self, values: Mapping[str, Any]) -> RegisterImage:
        return RegisterImage(
            values["file"], values["name"], values["kernel"], values["in_place"] == _YES
        )


class PromoteScreen(Form[PromoteMachine]):
    """A stopped machine's disk becomes an image.

    Args:
        machine: the one that the person has chosen, or "".
    """

    def __init__(self, vms: Collection[VmRecord], here: Collection[str], machine: str = "") -> None:
        self._states = {vm.name: vm.state for vm in vms}
        self._here = here
        self._stopped = sorted(vm.name for vm in vms if vm.state in _PROMOTABLE)
        only = self._stopped[0] if len(self._stopped) == 1 else ""
        machine = machine or only
        super().__init__(
            "Make an image of a machine",
            (
                TextField("machine", self._judge_machine, machine, "a stopped one",
                          suggester=SuggestFromList(self._stopped)),
                TextField("name", self._judge_name, f"{machine}-image" if machine else "",
                          label="call it", says=lambda _: "Without its host keys and machine-id."),
            ),
            "Make",
        )  # fmt: skip
        self._first = "#name" if machine else "#machine"

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(self._first).focus()

    def _judge_machine(self, text: str) -> str:
        state = self._states.get(text)
        if state in _PROMOTABLE:
            return text
        hint = f"Stopped are: {named(self._stopped)}" if self._stopped else "None is stopped"
        if state is not None:
            raise InvalidInput(f"{text} is {state.value}; it must be stopped", "", hint)
        if not text:
            raise InvalidInput("Say which machine", "", hint)
        if close := near(text, self._states):
            hint = f"Did you mean {' or '.join(close)}?"
        raise InvalidInput(f"No machine is called {text}", "", hint)

    def _judge_name(self, text: str) -> str:
        return new_name(text, self._here)

    def answer(self, values: Mapping[str, Any]) -> PromoteMachine:
        return PromoteMachine(values["machine"], values["name"])


class ExportScreen(Form[ExportImage]):
    """An image is written to a bundle file."""

    def __init__(self, name: str, size_bytes: int) -> None:
        self._image = name
        file = "".join(char if char.isalnum() or char in "._-" else "-" for char in name)
        super().__init__(
            f"Export {units.plain(name, 40)}",
            (
                TextField(
                    "file", self._judge_text, f"~/{file}.tar.zst", look=self._look_at,
                    suggester=paths_typed.PathSuggester(), wide=True,
                    says=lambda _: f"at most {units.size(size_bytes)}",
                ),
            ),
            "Export",
        )  # fmt: skip

    @staticmethod
    def _judge_text(text: str) -> Path:
        if not text.endswith((".tar.zst", ".tzst")):
            raise InvalidInput("A bundle's name ends in .tar.zst")
        return paths_typed.absolute(text)

    @staticmethod
    def _look_at(text: str) -> str:
        path = paths_typed.absolute(text)
        try:
            if path.exists():
                raise InvalidInput(f"{path} is there already")
            if not path.parent.is_dir():
                raise InvalidInput(f"There is no directory {path.parent}")
        except OSError as error:
            raise InvalidInput(f"Can't look at {path}", f"{error.strerror}.") from error
        return f"a new file, {path}"

    def answer(self, values: Mapping[str, Any]) -> ExportImage:
        return ExportImage(self._image, values["file"])


class PushScreen(Form[PushImage]):
    """An image goes to a registry."""

    def __init__(self, name: str) -> None:
        self._image = name
        super().__init__(
            f"Push {units.plain(name, 40)}",
            (
                TextField("to", self._judge_text, "", "ghcr.io/org/image:1", wide=True,
                          says=lambda text: f"as an artifact to {parse(text).canonical}"),
                ChoiceField("insecure", (_NO, _YES), _NO,
                            "yes: the registry may speak plain http"),
            ),
            "Push",
        )  # fmt: skip

    @staticmethod
    def _judge_text(text: str) -> str:
        if not text:
            raise InvalidInput("Say where to", "", "For example: localhost:5000/image:1")
        parse(text)
        return text

    def answer(self, values: Mapping[str, Any]) -> PushImage:
        return PushImage(self._image, values["to"], values["insecure"] == _YES)
