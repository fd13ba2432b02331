"""Every error a person can meet, as a small semantic tree.

::

    BangerError
    ├── InvalidInput            what was asked for makes no sense (CLI exit 2)
    │   ├── InvalidName         not a DNS label
    │   └── InvalidSize         "12Q"
    ├── NotFound                no such VM, image, kernel, operation
    │   └── NotInCatalog        neither here nor in any catalog; carries near names
    ├── Conflict                the name, port or state is somebody else's
    │   ├── NameTaken
    │   ├── PortTaken
    │   ├── IllegalMove         the VM's state does not allow this
    │   ├── InUse               still referenced, so it stays
    │   └── Busy                another operation or process holds the lock
    ├── HostLacks               a tool, a right, memory or room is missing
    │   ├── MissingTool
    │   ├── NotEnoughMemory
    │   └── NotEnoughDisk
    ├── StorageFailure          the state directory or database can't be used
    │   ├── StateUnwritable
    │   └── DatabaseCorrupt
    ├── RegistryFailure         a registry or web server can't give what was asked for
    │   ├── RegistryUnreachable no answer, a reset, a stall, 5xx after all retries
    │   ├── RegistryDenied      401 or 403 with the credentials there are
    │   └── RegistryNotFound    no such repository, tag or digest
    ├── BadContent              what came is not what it says it is, or not safe to unpack
    │   ├── DigestMismatch
    │   └── LimitExceeded       larger than [limits] in config.toml allow; names the limit
    ├── ToolFailed              a program we started ended badly; carries its last lines
    ├── GuestFailure            the machine inside misbehaves
    │   ├── BootFailed
    │   └── GuestUnreachable
    ├── HypervisorFailure       the VMM refused or died
    └── OperationCancelled      somebody asked for it (CLI exit 130)

Each carries a ``title`` (what failed), a ``detail`` (why, with the number that matters) and a
``hint`` (what to do next, with the command or key).
"""

from __future__ import annotations

from collections.abc import Iterable


class BangerError(Exception):
    """Base of all expected failures.

    Args:
        title: what failed, one short sentence.
        detail: why, one sentence; may be empty.
        hint: the next step, with the command or key; may be empty.
    """

    #: Exit code of the command line for this family.
    exit_code = 1

    def __init__(self, title: str, detail: str = "", hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.title}: {self.detail}" if self.detail else self.title

    @property
    def kind(self) -> str:
        """The class name: what is stored with a failed operation."""
        return type(self).__name__


class InvalidInput(BangerError):
    exit_code = 2


class InvalidName(InvalidInput): ...


class InvalidSize(InvalidInput): ...


class NotFound(BangerError): ...


class NotInCatalog(NotFound):
    """Neither local nor in any catalog. ``near`` holds similar names, best first."""

    def __init__(
        self, title: str, detail: str = "", hint: str = "", near: Iterable[str] = ()
    ) -> None:
        super().__init__(title, detail, hint)
        self.near = tuple(near)


class Conflict(BangerError): ...


class NameTaken(Conflict): ...


class PortTaken(Conflict): ...


class IllegalMove(Conflict): ...


class InUse(Conflict): ...


class Busy(Conflict): ...


class HostLacks(BangerError): ...


class MissingTool(HostLacks): ...


class NotEnoughMemory(HostLacks): ...


class NotEnoughDisk(HostLacks): ...


class StorageFailure(BangerError): ...


class StateUnwritable(StorageFailure): ...


class DatabaseCorrupt(StorageFailure): ...


class RegistryFailure(BangerError): ...


class RegistryUnreachable(RegistryFailure): ...


class RegistryDenied(RegistryFailure): ...


class RegistryNotFound(RegistryFailure): ...


class BadContent(BangerError): ...


class DigestMismatch(BadContent): ...


class LimitExceeded(BadContent): ...


class ToolFailed(BangerError):
    """A program ended with a non-zero code. ``tail`` holds its last lines."""

    def __init__(
        self, title: str, detail: str = "", hint: str = "", *, code: int = 0, tail: str = ""
    ) -> None:
        super().__init__(title, detail, hint)
        self.code = code
        self.tail = tail


class GuestFailure(BangerError): ...


class BootFailed(GuestFailure): ...


class GuestUnreachable(GuestFailure): ...


class HypervisorFailure(BangerError): ...


class OperationCancelled(BangerError):
    exit_code = 130
