"""What can be had by name, and the catalog that is shipped with the program."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from banger_tui.engine import assets
from banger_tui.engine.catalog.entries import ImageEntry, KernelEntry
from banger_tui.engine.catalog.fields import is_name
from banger_tui.engine.catalog.parse import parse_images, parse_kernels
from banger_tui.engine.errors import BangerError, NotInCatalog

_Entry = TypeVar("_Entry", ImageEntry, KernelEntry)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that can be had by name.

    Args:
        unread: why some of a person's catalogs are not in it.
        problems: the same and lesser things (an old copy is used), as sentences for people.
    """

    images: Mapping[str, ImageEntry]
    kernels: Mapping[str, KernelEntry]
    unread: tuple[BangerError, ...] = ()
    problems: tuple[str, ...] = ()

    def image(self, name: str) -> ImageEntry:
        """The entry of this name.

        Raises:
            NotInCatalog: with near names.
            BangerError: it is nowhere else, and a catalog that could not be read may have it.
        """
        return self._find("image", name, self.images)

    def kernel(self, name: str) -> KernelEntry:
        """As ``image``."""
        return self._find("kernel", name, self.kernels)

    def _find(self, kind: str, name: str, known: Mapping[str, _Entry]) -> _Entry:
        if name in known:
            return known[name]
        if self.unread and is_name(name):
            error = self.unread[0]
            hint = f"The {kind} {name} is in no other catalog. {error.hint}".rstrip()
            raise type(error)(error.title, error.detail, hint)
        close = near(name, known)
        hint = f"Did you mean {' or '.join(close)}?" if close else f"There is: {', '.join(known)}."
        raise NotInCatalog(
            f"No {kind} {name}", "It is not here, and not in any catalog.", hint, close
        )


@cache
def embedded() -> Catalog:
    """The catalog shipped with the program. Blocking on the first call.

    Raises:
        InvalidInput: a damaged installation.
    """
    return Catalog(
        images=parse_images(assets.read("catalog/images.json"), "catalog/images.json"),
        kernels=parse_kernels(assets.read("catalog/kernels.json"), "catalog/kernels.json"),
    )


def near(name: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    """Up to three known names like this one, best first."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return tuple(close) or tuple(other for other in known if name and name in other)[:3]
