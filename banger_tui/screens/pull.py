"""The dialog for every way in: it says what it understood before anything begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from textual import on
from textual.widgets import Input

from banger_tui.bridge import Request
from banger_tui.engine.catalog.entries import OciSource
from banger_tui.engine.catalog.load import Catalog
from banger_tui.engine.errors import BangerError, InvalidInput
from banger_tui.engine.images.request import PullSpec, request
from banger_tui.engine.vms.spec import parse_size
from banger_tui.screens import paths_typed, pull_words
from banger_tui.screens.form import ChoiceField, Form, TextField
from banger_tui.screens.requests import PullImage, RegisterImage

_NO, _YES = "no", "yes"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the dialog starts with and offers.

    Args:
        here: names of images that are here; ``references``: container images they were made of.
    """

    catalog: Catalog
    here: Collection[str] = ()
    references: Collection[str] = ()
    text: str = ""


class PullScreen(Form[Request]):
    """A request when the person makes one, None when not."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        catalog = wanted.catalog
        containers = [
            entry.source.reference
            for entry in catalog.images.values()
            if isinstance(entry.source, OciSource)
        ]
        offered = [name for name in catalog.images if name not in wanted.here]
        words = (*offered, *wanted.references, *containers, *catalog.images)
        super().__init__(
            "Pull an image",
            (
                TextField(
                    "image", self._judge_image, wanted.text,
                    "name in a catalog, container image, URL or file",
                    says=lambda text: self._understand(text).says,
                    look=self._look_at_image,
                    suggester=paths_typed.PathSuggester(words),
                    wide=True,
                ),
                TextField("name", self._judge_name, "", "as it is called there",
                          about=self._about_name, label="call it"),
                TextField("size", self._judge_size, "", "as large as its content asks for"),
                TextField("platform", self._judge_platform, "", "this host's",
                          about=lambda text: "" if text else "linux/arm64, …"),
                ChoiceField("insecure", (_NO, _YES), _NO,
                            "yes: the registry may speak plain http"),
                ChoiceField("plain", (_NO, _YES), _NO,
                            "yes: without guest kit; it does not boot"),
            ),
            "Pull",
        )  # fmt: skip

    @on(Input.Changed, "#image")
    def _image_changed(self) -> None:
        self.judge("name")

    def _understand(self, text: str) -> pull_words.Understood:
        return pull_words.understand(text, self._wanted.catalog)

    def _judge_image(self, text: str) -> str:
        self._understand(text)
        return text

    def _look_at_image(self, text: str) -> str:
        understood = self._understand(text)
        if not paths_typed.is_path(text):
            return understood.says
        # First: a long path has its end cut off.
        return f"{paths_typed.size_of(text)}: {understood.says}"

    def _judge_name(self, text: str) -> str:
        name = text or self._default_name()
        if name in self._wanted.here:
            raise InvalidInput(f"{name} is here already", "", "Give it another name, or delete it")
        return name

    def _about_name(self, text: str) -> str:
        return "" if text else self._default_name()

    def _default_name(self) -> str:
        try:
            return self._understand(self.query_one("#image", Input).value.strip()).name
        except BangerError:
            return ""

    @staticmethod
    def _judge_size(text: str) -> int | None:
        return parse_size(text) if text else None

    def _judge_platform(self, text: str) -> str:
        request(PullSpec("x:y", platform=text), self._wanted.catalog, default_kernel="")
        return text

    def answer(self, values: Mapping[str, Any]) -> Request:
        text, name = values["image"], values["name"]
        if self._understand(text).file:
            return RegisterImage(paths_typed.absolute(text), name)
        return PullImage(
            PullSpec(
                text,
                name=name,
                platform=values["platform"],
                size_bytes=values["size"],
                insecure=values["insecure"] == _YES,
                plain=values["plain"] == _YES,
            )
        )
