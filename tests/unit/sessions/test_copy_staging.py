"""What a killed copy leaves behind is removed by the next, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from banger_tui.engine.sessions import copy_staging

MAKE = """
import sys, time
from pathlib import Path
from banger_tui.engine.sessions import copy_staging
path, _ = copy_staging.make(Path(sys.argv[1]))
(path / "data").write_text("half of it")
print(path, flush=True)
time.sleep(600)
"""


def test_the_next_copy_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAKE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        left = Path(other.stdout.readline().strip())
        mine, descriptor = copy_staging.make(tmp_path)
        assert left.is_dir(), "it is still being filled"
        other.kill()
    second, another = copy_staging.make(tmp_path)
    assert not left.exists()
    assert mine.is_dir()
    assert second.is_dir()
    os.close(descriptor)
    os.close(another)


def test_what_only_looks_like_one_stays(tmp_path: Path) -> None:
    kept = [tmp_path / ".banger-copy-mine", tmp_path / ".banger-copy-0123456789"]
    for path in kept:
        path.mkdir()
    outside = tmp_path / "outside"
    (outside / "data").mkdir(parents=True)
    (tmp_path / ".banger-copy-01234567").symlink_to(outside)
    (tmp_path / ".banger-copy-89abcdef").write_text("a file")
    _, descriptor = copy_staging.make(tmp_path)
    os.close(descriptor)
    assert all(path.is_dir() for path in kept)
    assert (outside / "data").is_dir()
    assert (tmp_path / ".banger-copy-89abcdef").read_text() == "a file"
