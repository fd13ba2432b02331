"""The short forms of the kernels' screen: pull by name, import one's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from banger_tui.engine.catalog.load import Catalog
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.kernels.importing import check_name
from banger_tui.engine.kernels.sources import FromFiles, FromHost, FromPackage, KernelSource
from banger_tui.screens import paths_typed
from banger_tui.screens.form import Form, TextField
from banger_tui.screens.image_forms import new_name
from banger_tui.screens.requests import ImportKernel, PullKernel

_HOST = "host"


class PullKernelScreen(Form[PullKernel]):
    """A kernel of a catalog."""

    def __init__(self, catalog: Catalog, here: Collection[str], text: str) -> None:
        self._catalog = catalog
        self._here = here
        offered = [name for name in catalog.kernels if name not in here]
        super().__init__(
            "Pull a kernel",
            (
                TextField("kernel", self._judge_text, text, "name in a catalog", wide=True,
                          suggester=paths_typed.PathSuggester(offered),
                          says=lambda name: catalog.kernels[name].description),
            ),
            "Pull",
        )  # fmt: skip

    def _judge_text(self, text: str) -> str:
        if not text:
            known = ", ".join(self._catalog.kernels)
            raise InvalidInput("Say which kernel", "", f"There is: {known}")
        self._catalog.kernel(text)
        if text in self._here:
            raise InvalidInput(f"{text} is here already")
        return text

    def answer(self, values: Mapping[str, Any]) -> PullKernel:
        return PullKernel(values["kernel"])


class ImportKernelScreen(Form[ImportKernel]):
    """A kernel of one's own: this host's, of a Debian package, or of files."""

    def __init__(self, here: Collection[str]) -> None:
        self._here = here
        super().__init__(
            "Import a kernel",
            (
                TextField("name", self._judge_name, label="call it"),
                TextField(
                    "kernel", self._judge_kernel, _HOST, "host, or the path of a file", wide=True,
                    says=self._says, look=self._look_at,
                    suggester=paths_typed.PathSuggester([_HOST]), label="from",
                ),
                self._file("modules", "its lib/modules/VERSION, or a tar archive", directory=True),
                self._file("initrd", "goes before ours"),
                self._file("config", "the configuration it was made with"),
            ),
            "Import",
        )  # fmt: skip

    def _file(self, name: str, placeholder: str, *, directory: bool = False) -> TextField:
        def look(text: str) -> str:
            if directory and paths_typed.absolute(text).is_dir():
                return "a directory"
            return paths_typed.size_of(text)

        return TextField(
            name, _path_or_none, "", placeholder, look=look, wide=True,
            suggester=paths_typed.PathSuggester(),
        )  # fmt: skip

    def _judge_name(self, text: str) -> str:
        check_name(new_name(text, self._here, "kernel"))
        return text

    @staticmethod
    def _judge_kernel(text: str) -> str:
        if not text:
            raise InvalidInput("Say where it is from", "", "host, a .deb file, or a kernel's file")
        if text.partition(" ")[0] != _HOST and not paths_typed.is_path(text):
            raise InvalidInput(f"{text} is no path", "", "It is host, host VERSION or /path")
        return text

    @staticmethod
    def _says(text: str) -> str:
        first, _, version = text.partition(" ")
        if first == _HOST:
            which = f"{version.strip()}, as it is" if version.strip() else "that runs"
            return f"the kernel {which} on this host"
        if text.endswith(".deb"):
            return f"Debian package {paths_typed.absolute(text).name}"
        return f"kernel file {paths_typed.absolute(text).name}"

    def _look_at(self, text: str) -> str:
        if not paths_typed.is_path(text):
            return self._says(text)
        return f"{self._says(text)}: {paths_typed.size_of(text)}"

    def answer(self, values: Mapping[str, Any]) -> ImportKernel:
        return ImportKernel(values["name"], _source(values))


def _source(values: Mapping[str, Any]) -> KernelSource:
    text: str = values["kernel"]
    first, _, version = text.partition(" ")
    if first == _HOST:
        return FromHost(version.strip())
    path = paths_typed.absolute(text)
    if path.suffix == ".deb":
        return FromPackage(path)
    return FromFiles(path, values["modules"], values["initrd"], values["config"])


def _path_or_none(text: str) -> Path | None:
    return paths_typed.absolute(text) if text else None
