"""The ways a kernel of a person's own comes in: files, a Debian package, the host's own."""

from __future__ import annotations

import errno
import platform
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from banger_tui.engine.errors import BadContent, InvalidInput
from banger_tui.engine.kernels import debian_package, installed
from banger_tui.engine.kernels.boot_image import (
    BootImage,
    Format,
    has_pvh_entry,
    identify,
    mapped,
)
from banger_tui.engine.kernels.compression import compression_of
from banger_tui.engine.kernels.modules import (
    BUILT_IN,
    MAX_LISTING,
    MAX_MODULE,
    ModuleFiles,
    built_in,
    in_directory,
    module_name,
    of_no_use,
    read_file,
)
from banger_tui.engine.kernels.needs import MAX_CONFIG, Config, embedded_config, parse_config
from banger_tui.engine.kernels.tar_files import TarFiles, Tell, is_compressed, unpacked
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import MIB
from banger_tui.engine.threads import Stop

_NO_PVH = "QEMU can't start this vmlinux: it has no PVH entry"
_UNJUDGED = "taken to have all that a guest needs built in: it has no modules and no configuration"

_MAX_KERNEL = 512 * MIB
_MAX_INITRD = 512 * MIB


@dataclass(frozen=True, slots=True)
class FromFiles:
    """Files on disk.

    Args:
        kernel: a vmlinuz (bzImage), a vmlinux or an Image.
        modules: its ``lib/modules/VERSION``, or a directory or tar archive that holds it.
        initrd: its files come before those of our own initrd.
        config: the configuration it was made with.
    """

    kernel: Path
    modules: Path | None = None
    initrd: Path | None = None
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class FromPackage:
    """A Debian package (``linux-image-….deb``)."""

    package: Path


@dataclass(frozen=True, slots=True)
class FromHost:
    """A kernel installed on this host; "" is the one that runs."""

    version: str = ""


KernelSource = FromFiles | FromPackage | FromHost


@dataclass(frozen=True, slots=True)
class Found:
    """A kernel that was read. ``modules`` and ``config`` are None where nothing says what they are;
    ``source``: where it is from, for people; ``note``: what a person should know of it, or ""."""

    image: Path
    about: BootImage
    source: str
    modules: ModuleFiles | None = None
    config: Config | None = None
    initrd: Path | None = None
    note: str = ""


def read(stop: Stop, source: KernelSource, staging: Path, limits: Limits, tell: Tell) -> Found:
    """Read it; what has to be unpacked for that goes to ``staging``. Blocking.

    Raises:
        BadContent: it is no kernel, not for this host, or not what it says.
        NotFound: no such kernel is installed.
        InvalidInput: a file can't be read.
    """
    try:
        match source:
            case FromFiles():
                return _from_files(source, f"file: {source.kernel}", staging, limits, stop, tell)
            case FromPackage(package):
                return _from_package(package, staging, limits, stop, tell)
            case FromHost(version):
                host = installed.find(version)
                files = FromFiles(host.kernel, host.modules, None, host.config)
                return _from_files(files, f"host: {host.kernel}", staging, limits, stop, tell)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or not error.filename:
            raise
        raise InvalidInput(
            f"Can't read {error.filename}",
            f"{error.strerror}.",
            "Make it readable for you: sudo chmod a+r FILE, or take a copy of it."
            if error.errno == errno.EACCES
            else "",
        ) from error


def _from_files(
    source: FromFiles, told: str, staging: Path, limits: Limits, stop: Stop, tell: Tell
) -> Found:
    about = _about(source.kernel)
    found = Found(source.kernel, about, told, initrd=source.initrd)
    if source.initrd is not None:
        _check_initrd(source.initrd)
    if source.config is not None:
        found = replace(found, config=_read_config(source.config))
    if source.modules is not None:
        modules = _modules(source.modules, about.version, staging, limits, stop, tell)
        found = replace(found, modules=modules)
    with mapped(source.kernel) as data:
        if found.modules is None and found.config is None:
            config = embedded_config(data, stop)
            found = replace(found, config=config, note="" if config else _UNJUDGED)
        on_pc = about.format is Format.VMLINUX and about.architecture == "x86_64"
        if on_pc and not has_pvh_entry(data):
            found = replace(found, note=_NO_PVH)
    return found


def _from_package(package: Path, staging: Path, limits: Limits, stop: Stop, tell: Tell) -> Found:
    _check_regular(package)
    tar = staging / "data.tar"
    part = debian_package.data_member(package)
    unpacked(package, part, tar, limits.max_rootfs_bytes, stop, tell, package.name)
    files = TarFiles(tar, limits, stop, package.name)
    images = [
        name
        for name in files
        if name.startswith("boot/vmlinu")
        or (name.endswith("/vmlinuz") and name.removeprefix("usr/").startswith("lib/modules/"))
    ]
    if not images:
        raise BadContent(
            f"{package.name} holds no kernel",
            "It has no boot/vmlinuz-VERSION.",
            "Take the package that has one: linux-image-VERSION, not linux-image-amd64.",
        )
    image = staging / "vmlinuz"
    image.write_bytes(files.read(min(images), _MAX_KERNEL))
    about = _about(image)
    config = f"boot/config-{about.version}"
    return Found(
        image,
        about,
        f"package: {package.name}",
        modules=_in_archive(files, about.version, package.name),
        config=parse_config(files.read(config, MAX_CONFIG).decode(errors="replace"))
        if config in files
        else None,
    )


def _about(kernel: Path) -> BootImage:
    with mapped(kernel) as data:
        about = identify(data)
    host = platform.machine()
    if about.architecture != host:
        raise of_no_use(f"It is made for {about.architecture}, this host is {host}.")
    return about


def _modules(
    given: Path, version: str, staging: Path, limits: Limits, stop: Stop, tell: Tell
) -> ModuleFiles:
    if given.is_dir():
        for prefix in _prefixes(version):
            if (given / prefix / "kernel").is_dir() or (given / prefix / BUILT_IN).is_file():
                return in_directory(given / prefix)
        raise _no_modules(version, str(given))
    _check_regular(given)
    tar = given
    if is_compressed(given):
        tar = staging / "modules.tar"
        part = (0, given.stat().st_size)
        unpacked(given, part, tar, limits.max_rootfs_bytes, stop, tell, given.name)
    return _in_archive(TarFiles(tar, limits, stop, given.name), version, given.name)


def _in_archive(files: TarFiles, version: str, what: str) -> ModuleFiles:
    for prefix in _prefixes(version):
        readers = {
            module: partial(files.read, name, MAX_MODULE)
            for name in files
            if name.startswith(f"{prefix}kernel/")
            and (module := module_name(posixpath.basename(name)))
        }
        listing = f"{prefix}{BUILT_IN}"
        if readers or listing in files:
            text = files.read(listing, MAX_LISTING) if listing in files else b""
            return ModuleFiles(readers, built_in(text))
    raise _no_modules(version, what)


def _prefixes(version: str) -> Iterable[str]:
    """Where the modules may lie in what was given."""
    tree = f"lib/modules/{version}/"
    return (tree, f"usr/{tree}", f"{version}/", "")


def _no_modules(version: str, where: str) -> BadContent:
    return of_no_use(f"It is version {version}, and {where} has no modules for that.")


def _read_config(path: Path) -> Config:
    _check_regular(path)
    config = parse_config(read_file(path, MAX_CONFIG).decode(errors="replace"))
    if not config:
        raise InvalidInput(f"{path} is no kernel's configuration", "It sets no CONFIG_ option.")
    return config


def _check_initrd(path: Path) -> None:
    _check_regular(path)
    if (size := path.stat().st_size) > _MAX_INITRD:
        raise BadContent(f"{path} is too large for an initrd", f"It has {size // MIB} MiB.")
    with path.open("rb") as file:
        head = file.read(16)
    if not head.startswith((b"070701", b"070702")) and compression_of(head) is None:
        raise InvalidInput(
            f"{path} is no initrd", "It is neither a cpio archive nor a compressed one."
        )


def _check_regular(path: Path) -> None:
    """A named pipe would be waited for."""
    path.stat()
    if not path.is_file():
        raise InvalidInput(f"{path} is no file", "A regular file is wanted.")
