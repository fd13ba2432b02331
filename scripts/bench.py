"""``make bench``: measures, prints tables and writes them into docs/benchmarks.md.

    scripts/bench.py [SUBJECT …]     command, boots, exec, paint, echo, flood, panel, pull;
                                     default: all
    make bench BOOTS=60              boots in a row of the small image; a quarter as many of Debian

BANGER_BENCH_HOME=DIR keeps the images there from one run to the next.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.benchmarks import boots, command, execs, flood, machine, paint, panel, pull
from scripts.benchmarks.samples import Table

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
IMAGES = ("busybox", "debian-bookworm")


@contextmanager
def bench_home() -> Iterator[Path]:
    if kept := os.environ.get("BANGER_BENCH_HOME"):
        yield Path(kept).expanduser().absolute()
        return
    with tempfile.TemporaryDirectory(prefix="banger-bench-") as directory:
        yield Path(directory)


def written(tables: list[Table], loads: tuple[float, float]) -> str:
    """The measured section of the report."""
    lines = [BEGIN, "", f"Taken on {time.strftime('%Y-%m-%d')} on this machine:", ""]
    lines += ["| | |", "| --- | --- |"]
    lines += [f"| {what} | {value} |" for what, value in machine.described()]
    lines.append(f"| load before and after | {loads[0]:.1f}, {loads[1]:.1f} |")
    return "\n".join([*lines, "", *(table.markdown() for table in tables), END])


def save(section: str) -> None:
    """Put the section between its marks; the text around them is written by hand."""
    text = REPORT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    REPORT.write_text(before + section + after)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    subjects = ("command", "boots", "exec", "paint", "echo", "flood", "panel", "pull")
    parser.add_argument("subjects", nargs="*", choices=[[], *subjects], metavar="SUBJECT")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each (default 7)")
    parser.add_argument("--image", action="append", help="only this image (may be repeated)")
    parser.add_argument("--no-report", action="store_true", help="leave docs/benchmarks.md alone")
    args = parser.parse_args()
    images = tuple(args.image or IMAGES)
    count = int(os.environ.get("BOOTS") or os.environ.get("BANGER_BENCH_BOOTS") or 8)
    chosen = args.subjects or list(subjects)
    os.environ.pop("BANGER_DRIVER", None)
    before = machine.load()
    tables: list[Table] = []
    with bench_home() as home:
        counts = {image: count if image == "busybox" else max(1, count // 4) for image in images}
        measures: dict[str, Callable[[], list[Table]]] = {
            "command": lambda: command.report(home, images, args.rounds),
            "boots": lambda: [boots.report(home, counts)],
            "exec": lambda: [execs.report(home, args.rounds * 6)],
            "paint": lambda: [paint.paint_table(args.rounds)],
            "echo": lambda: [paint.echo_table(args.rounds * 20)],
            "flood": lambda: [flood.report()],
            "panel": lambda: panel.report(args.rounds),
            "pull": lambda: [pull.report(home, args.rounds)],
        }
        for subject in chosen:
            for table in measures[subject]():
                print(table.plain(), flush=True)
                tables.append(table)
    if not args.no_report:
        save(written(tables, (before, machine.load())))
        print(f"\nWritten to {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
