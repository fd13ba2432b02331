"""The file that holds a VM's serial line: bounded on disk, and still read by offset.

QEMU appends to it whether or not anybody watches. A small keeper, which lives as long as the VMM
and needs no program of ours to run, gives its front back to the filesystem: it punches holes, so
that offsets stay what they were. Only what is behind the holes is ever read.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from pathlib import Path

from banger_tui.engine.process import ProcessId, spawn_daemon
from banger_tui.engine.shield import in_thread

LOG = "console.log"
#: What came before: an earlier boot, or where holes can't be punched the part before this one.
EARLIER = "console.log.1"
KEEP = 8 << 20  # bytes of the line kept on disk, and up to two _STEPs more
_STEP = 1 << 20

# Reads along, once a second while something comes, and ends with tail, which ends within a second
# of the VMM. It holds on to its file by descriptor 9: a later boot's log by the same name is not
# its. The lock, held by the shells alone, makes it the file's only one.
# $1: what to keep, $2: a step, both bytes; $3: the VMM's pid.
_KEEPER = """
keep=$1 step=$2 vmm=$3 punched=0 log=/dev/fd/9
exec 9<>console.log && flock -w 2 9 || exit 0
bound() {
	size=$(stat -L -c %s $log) || exit
	upto=$(((size - keep) / step * step))
	[ $upto -gt $punched ] || return 0
	if fallocate -p -o $punched -l $((upto - punched)) $log 2>/dev/null; then
		punched=$upto
	elif [ console.log -ef $log ]; then
		cp $log console.log.1
		: >$log
	fi
}
bound
tail -c +$((size + 1)) -f -s 1 --pid=$vmm <$log 2>/dev/null 9>&- |
	while [ "$(exec 9>&-; head -c $step | wc -c)" -gt 0 ]; do bound; done
"""


def begin_anew(directory: Path) -> None:
    """An empty log; what an earlier boot said is kept beside it. Blocking."""
    log = directory / LOG
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size:
            log.replace(directory / EARLIER)
        else:
            log.unlink()
    os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


async def keep_bounded(directory: Path, vmm: ProcessId, keep: int = KEEP) -> None:
    """Start the log's keeper, unless it has one.

    Raises:
        MissingTool: this host has no shell.
    """
    if await in_thread(_kept, directory) or not vmm.alive:
        return
    arguments = (str(keep), str(_STEP), str(vmm.pid))
    await spawn_daemon(
        ["/bin/sh", "-c", _KEEPER, "banger-console", *arguments],
        log=directory / "qemu.log", cwd=directory,
    )  # fmt: skip


def _kept(directory: Path) -> bool:
    """Whether a keeper holds the log's lock. Blocking."""
    try:
        descriptor = os.open(directory / LOG, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True  # there is nothing to keep
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def last(log: Path, limit: int) -> bytes:
    """The last ``limit`` bytes of a log, of those that are kept. Blocking."""
    reader = LogReader(log, limit)
    try:
        pieces = []
        while limit > 0 and (data := reader.read()):
            pieces.append(data)
            limit -= len(data)
        return b"".join(pieces)
    finally:
        reader.close()


class LogReader:
    """Reads a log from ``backlog`` bytes before its end on; what was cut off it is left out.

    It stays with the file that it opened, so a log begun anew is another reader's.
    """

    CHUNK = 64 << 10

    def __init__(self, log: Path, backlog: int) -> None:
        self._log = log
        self._backlog = backlog
        self._descriptor = -1
        self._offset = 0
        self._torn = False
        self._closed = False
        self._turn = threading.Lock()

    def read(self) -> bytes:
        """What has come since the last time, at most CHUNK bytes, b"" if nothing. Blocking."""
        with self._turn:
            if self._closed or (self._descriptor < 0 and not self._open()):
                return b""
            size = os.fstat(self._descriptor).st_size
            if size < self._offset:  # begun anew in its place
                self._offset = 0
            data = b""
            while self._offset < size and not data:
                self._skip_hole()
                data = os.pread(self._descriptor, self.CHUNK, self._offset)
                if not data:
                    break
                self._offset += len(data)
                if self._torn:
                    self._torn = False
                    # In the middle of a line nobody knows what was begun: from the next one on.
                    _, newline, rest = data.partition(b"\n")
                    data = rest if newline else data
            return data

    def _open(self) -> bool:
        try:
            self._descriptor = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        self._offset = max(0, os.fstat(self._descriptor).st_size - self._backlog)
        self._torn = self._offset > 0
        return True

    def _skip_hole(self) -> None:
        try:
            begin = os.lseek(self._descriptor, self._offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # a filesystem that can't say: then it has no holes
                return
            begin = os.fstat(self._descriptor).st_size  # nothing but a hole
        if begin > self._offset:
            self._offset, self._torn = begin, True

    def close(self) -> None:
        with self._turn:
            self._closed = True
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
