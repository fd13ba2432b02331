"""Pictures of the running app: ``python scripts/pictures.py [--live] [NAME …]``.

The app runs in tmux, on made-up machines (scripts/demo.py); with ``--live`` the pictures
"machine" and "htop" of real ones, whose images are built first if need be (below
$BANGER_BENCH_HOME, if set).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.terminal.picture import Painter, Paper
from scripts.terminal.tmux import Pane, pane

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "assets" / "screenshots"
LARGEST = 120_000  # bytes: they are in every clone
LIGHT = Paper(front=(40, 44, 52), back=(250, 250, 250))


def empty(app: Pane) -> None:
    app.sees("No machines yet.", "Host:")


def shell(app: Pane, edge: str = "│") -> None:
    app.sees("root@quiet-fox:~#")
    app.press("Enter")
    app.sees("ctrl+]", "leaves")
    app.type("echo hello from the guest")
    app.press("Enter")
    app.sees(f"{edge}hello from the guest")


def overview(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("v")
    app.sees("Overview", "runs on")


def progress(app: Pane) -> None:
    app.sees("No machines yet.")
    app.press("r")
    app.sees("Working on: create", "MiB of")


def operations(app: Pane) -> None:
    progress(app)
    app.press("o")
    app.sees("Operations", "Timeline", "install packages")


def form(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("n")
    app.sees("New machine", "enter creates")
    app.type("web")
    app.sees("web")


def confirm(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("d")
    app.sees("Delete", "quiet-fox")


def failed(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("r")
    app.sees("does not come up")


def damaged(app: Pane) -> None:
    app.sees("The database is damaged")


def keys(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("?")
    app.sees("run a sandbox", "command palette")


def images(app: Pane, reference: str = "docker.io/library/alpine:3.20") -> None:
    app.sees("Host:")
    app.press("2")
    app.sees("Images", "Here")
    app.press("p")
    app.sees("Pull an image")
    app.type(reference)
    app.sees("container image")
    app.press("Enter")
    app.sees("download", "✓   sha256:", "left")


def catalog(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("2")
    app.sees("Images", "Here")
    app.press("Right")
    app.sees("archlinux", "DOWNLOAD")


def pull(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("2")
    app.sees("Images", "Here")
    app.press("p")
    app.sees("Pull an image")
    app.type("ghcr.io/org/app:1.4")
    app.sees("container image ghcr.io/org/app:1.4")


def sessions(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("4")
    app.sees("Sessions", "build")
    app.press("g")
    app.sees("What it said last")


def no_sessions(app: Pane) -> None:
    app.sees("No machines yet.")
    app.press("4")
    app.sees("No sessions.")


def split(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("s")
    app.sees("Test with a slow disk")
    app.press("C-]", "d", "k", "k", "s")
    app.sees("1 failed")
    app.press("C-]", "|", "C-]", "f")
    app.sees("─ ─ quiet-fox · shell", "1 failed", "Test with a slow disk")


def search(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("s")
    app.sees("Test with a slow disk")
    app.press("C-]", "/")
    app.type("the")
    app.sees("the")


def menu(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("s")
    app.sees("Test with a slow disk")
    app.press("C-]")
    app.sees("d leave")


def terminal_help(app: Pane) -> None:
    app.sees("quiet-fox")
    app.press("s")
    app.sees("leaves the panel")
    app.press("C-]", "?")
    app.sees("one more shell", "In scroll mode")


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: what is opened, what is done to it, how large and in which colours."""

    demo: str
    steps: Callable[[Pane], None]
    size: tuple[int, int] = (120, 36)
    theme: str = ""
    colour: bool = True
    prepare: Callable[[Path], None] | None = None


def _damage(home: Path) -> None:
    (home / "state").mkdir(parents=True)
    (home / "state" / "banger.db").write_bytes(b"this is no database\n" * 100)


SCENES: Mapping[str, Scene] = {
    "empty": Scene("empty", empty),
    "shell": Scene("machines", shell),
    "overview": Scene("machines", overview),
    "progress": Scene("slow", progress),
    "operations": Scene("slow", operations),
    "form": Scene("machines", form),
    "images": Scene("slow", images),
    "narrow-images": Scene("slow", images, size=(80, 24)),
    "catalog": Scene("machines", catalog),
    "pull": Scene("machines", pull),
    "sessions": Scene("sessions", sessions),
    "split": Scene("sessions", split, size=(160, 45)),
    "terminal-help": Scene("sessions", terminal_help),
    "confirm": Scene("machines", confirm),
    "failed": Scene("failing", failed),
    "error": Scene("empty", damaged, prepare=_damage),
    "help": Scene("machines", keys),
    "narrow": Scene("machines", shell, size=(80, 24)),
    "narrow-empty": Scene("empty", empty, size=(80, 24)),
    "light": Scene("machines", shell, theme="textual-light"),
    "no-colour": Scene("machines", partial(shell, edge="┃"), colour=False),
}


def take(name: str, scene: Scene, home: Path) -> Path:
    """Open the scene, do its steps and paint what is on screen then."""
    if scene.prepare is not None:
        scene.prepare(home)
    if scene.theme:
        (home / "config").mkdir(parents=True, exist_ok=True)
        (home / "config" / "config.toml").write_text(f'[app]\ntheme = "{scene.theme}"\n')
    env = {"BANGER_HOME": str(home), "NO_COLOR": "" if scene.colour else "1"}
    argv = [sys.executable, str(ROOT / "scripts" / "demo.py"), scene.demo]
    columns, rows = scene.size
    with pane(argv, env=env, columns=columns, rows=rows) as app:
        scene.steps(app)
        return _paint(app, name, LIGHT if scene.theme == "textual-light" else None)


LIVE = (
    ("build", "busybox", "192M"),
    ("old-tern", "busybox", "192M"),
    ("quiet-fox", "debian-bookworm", "512M"),
)


def take_live(home: Path) -> None:
    """Real machines: one used in its shell and under htop. They are deleted afterwards."""
    program = str(Path(sys.executable).with_name("banger-tui"))
    env = {"BANGER_HOME": str(home), "BANGER_DRIVER": ""}

    def command(*words: str) -> None:
        subprocess.run([program, "vm", *words], env={**os.environ, **env}, check=True)

    made: list[str] = []
    try:
        for name, image, memory in LIVE:
            command("create", "--name", name, "--image", image, "--memory", memory)
            made.append(name)
        command("stop", "old-tern")
        with pane([program], env=env) as app:
            # The machine that was started last is the one that is shown.
            app.sees("root@quiet-fox:~#", seconds=60)
            app.press("Enter")
            app.sees("leaves the panel")
            for line, answer in (
                ("clear; uname -sr", "Linux "),
                (". /etc/os-release; echo $PRETTY_NAME", "Debian GNU"),
                ("df -h / | tail -1", "/dev/vda"),
                ("git --version; curl --version | cut -c1-11 | head -1", "curl 7"),
                ("ss -lnt | head -3", "LISTEN"),
            ):
                app.type(line)
                app.press("Enter")
                app.sees(f"│{answer}" if answer != "LISTEN" else answer)
            _paint(app, "machine", None)
            app.type("clear; htop")
            app.press("Enter")
            app.sees("F1Help", "Load average")
            _paint(app, "htop", None)
            app.press("q")
            app.loses("F1Help")
            app.press("C-]", "d", "q")
            app.ended()
    finally:
        for name in made:
            command("delete", "-y", name)


def _paint(app: Pane, name: str, paper: Paper | None) -> Path:
    target = OUT / f"{name}.png"
    Painter(paper=paper).save(app.ansi(), target, app.columns)
    size = target.stat().st_size
    print(f"{target.relative_to(ROOT)}  {size // 1024} KiB")
    if size > LARGEST:
        raise SystemExit(f"{target.name} is larger than {LARGEST} bytes")
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--live", action="store_true", help="of real machines")
    parser.add_argument("names", nargs="*", choices=[[], *SCENES], help="default: all")
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    chosen = args.names or ([] if args.live else list(SCENES))
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="banger-picture-") as directory:
            take(name, SCENES[name], Path(directory))
    if args.live:
        with tempfile.TemporaryDirectory(prefix="banger-picture-") as directory:
            take_live(Path(os.environ.get("BANGER_BENCH_HOME") or directory))


if __name__ == "__main__":
    main()
