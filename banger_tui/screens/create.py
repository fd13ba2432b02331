"""The form for a new machine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from textual.suggester import SuggestFromList

from banger_tui.engine.catalog.load import near
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.images.request import local_name
from banger_tui.engine.model import MIB, NetworkMode, VmSpec
from banger_tui.engine.vms import spec as limits
from banger_tui.screens.form import ChoiceField, Form, TextField
from banger_tui.widgets import units
from banger_tui.widgets.artefact_rows import named


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form starts with and offers: ``images`` are here, ``catalog`` can be pulled; with
    their sizes in bytes (0: unknown)."""

    defaults: VmSpec
    images: Mapping[str, int]
    catalog: Mapping[str, int]
    taken: Collection[str] = ()


class CreateScreen(Form[VmSpec]):
    """A ``VmSpec`` when the person makes one, None when not."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        defaults = choices.defaults
        memory = units.size(defaults.memory_mib * MIB)
        disk = "" if defaults.disk_bytes is None else units.size(defaults.disk_bytes)
        names = dict.fromkeys((*sorted(choices.images), *choices.catalog))
        super().__init__(
            "New machine",
            (
                TextField("name", self._judge_name, "", "one is made up"),
                TextField(
                    "image", self._judge_image, defaults.image, defaults.image,
                    about=self._about_image,
                    suggester=SuggestFromList(names, case_sensitive=False),
                ),
                TextField("cpus", _cpus, str(defaults.cpus), str(defaults.cpus)),
                TextField(
                    "memory", _memory, memory, memory,
                    about=lambda _: f"this host has {units.size(limits.memory_total())}",
                ),
                TextField("disk", _disk, disk, "as large as the image's"),
                ChoiceField(
                    "network",
                    tuple(mode.value for mode in NetworkMode),
                    defaults.network.value,
                    "user: reaches out · isolated: reaches nothing",
                ),
            ),
            "Create",
        )  # fmt: skip

    def _judge_name(self, text: str) -> str | None:
        if not text:
            return None
        limits.validate_name(text)
        if text in self._choices.taken:
            raise InvalidInput(f"There is a machine called {text} already")
        return text

    def _judge_image(self, text: str) -> str:
        choices = self._choices
        text = text or choices.defaults.image
        known = dict.fromkeys((*choices.images, *choices.catalog))
        if _is_container(text):
            local_name(text)
        elif known and text not in known:
            close = near(text, known)
            hint = (
                f"Did you mean {' or '.join(close)}?"
                if close
                else f"There is: {named(list(known))}"
            )
            raise InvalidInput(f"No image is called {text}", "", hint)
        return text

    def _about_image(self, text: str) -> str:
        choices = self._choices
        text = text or choices.defaults.image
        if text in choices.images or local_name(text) in choices.images:
            return "it is here"
        if size := choices.catalog.get(text):
            return f"is pulled first: {units.size(size)}"
        return "is pulled first" if _is_container(text) else "is built or pulled first"

    def answer(self, values: Mapping[str, Any]) -> VmSpec:
        return VmSpec(
            name=values["name"],
            image=values["image"],
            cpus=values["cpus"],
            memory_mib=values["memory"] // MIB,
            disk_bytes=values["disk"],
            network=NetworkMode(values["network"]),
        )


def _is_container(image: str) -> bool:
    """Whether it can only be a container image: a plain word is a name."""
    return any(mark in image for mark in "/:@")


def _cpus(text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f"{text!r} is no number of cpus", "", "For example: 2")
    limits.validate(VmSpec(cpus=int(text)))
    return int(text)


def _memory(text: str) -> int:
    size = limits.parse_size(text)
    limits.validate(VmSpec(memory_mib=size // MIB))
    return size


def _disk(text: str) -> int | None:
    if not text:
        return None
    size = limits.parse_size(text)
    limits.validate(VmSpec(disk_bytes=size))
    return size
