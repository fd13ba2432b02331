"""The guest kit: what is put into it, and that its scripts are sound as far as can be seen here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from banger_tui.engine import assets
from banger_tui.engine.guest import kit

BUSYBOX = Path("/bin/busybox")


@pytest.mark.skipif(not BUSYBOX.exists(), reason="needs busybox")
@pytest.mark.parametrize("name", kit._SCRIPTS)
def test_a_script_can_be_read_by_the_kits_shell(name: str) -> None:
    text = assets.read(f"guest/{name}")
    assert text.startswith((b"#!/.banger/bin/busybox sh\n", b"# "))
    checked = subprocess.run([BUSYBOX, "sh", "-n"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")


def test_what_scripts_start_of_the_kit_is_in_it() -> None:
    known = {program.name for program in kit._PROGRAMS} | {"busybox", "sh"} | set(kit._SCRIPTS)
    for name in kit._SCRIPTS:
        text = assets.read(f"guest/{name}").decode()
        wanted = set(re.findall(r"/\.banger/(?:bin/)?([a-z][a-z0-9-]*)", text))
        wanted |= set(re.findall(r"\bkit ([a-z]+)", text)) | set(
            re.findall(r"\$loader ([a-z]+)", text)
        )
        wanted -= {"image", "lib", "bin", "sessions", "tmux"}
        assert wanted <= known, name


def test_each_kit_of_other_contents_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kit._recipe(kit._scripts())
    monkeypatch.setattr(kit, "_SCRIPTS", kit._SCRIPTS[:-1])
    assert kit._recipe(kit._scripts()) != before


def test_a_wrapper_sets_what_its_program_needs() -> None:
    program = kit.Program(("usr/bin/tool",), (("A", "b"),), "-x")
    assert kit.wrapper(program).splitlines() == [
        "#!/.banger/bin/busybox sh",
        "export A=b",
        "exec /.banger/lib/ld.so --argv0 tool --library-path /.banger/lib /.banger/lib/tool -x"
        ' "$@"',
    ]
