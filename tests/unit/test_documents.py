"""What the documents say is there: links, pictures, named tests, and every file over 400 lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LONGEST = 400


def named_tests(text: str) -> Iterator[tuple[str, str]]:
    """(file, function) of each ``tests/….py::name``; ``::name`` alone is in the file before it."""
    file = ""
    for match in re.finditer(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", text):
        file = match[1] or file
        if match[1] or match[2]:
            yield file, match[2] or ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    local = [target for target in targets if "://" not in target]
    missing = [target for target in local if not (document.parent / target).exists()]
    assert missing == []


def test_named_tests_are_there() -> None:
    missing = []
    found = list(named_tests((ROOT / "ARCHITECTURE.md").read_text()))
    for file, function in found:
        path = ROOT / file
        if not path.exists() or (function and f"def {function}(" not in path.read_text()):
            missing.append(f"{file}::{function}")
    assert len(found) > 20
    assert missing == []


def test_each_invariant_names_its_test() -> None:
    section = (ROOT / "ARCHITECTURE.md").read_text().partition("## Invariants\n")[2]
    section = section.partition("\n## ")[0]
    invariants = re.split(r"^\d+\. ", section, flags=re.MULTILINE)[1:]
    assert [text for text in invariants if "::test_" not in text] == []


def test_long_files_are_explained() -> None:
    section = (ROOT / "ARCHITECTURE.md").read_text().partition("## Files over 400 lines\n")[2]
    told = set(re.findall(r"`(banger_tui/[\w/]+\.py)`", section))
    long = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "banger_tui").rglob("*.py")
        if len(path.read_text().splitlines()) > LONGEST
    }
    assert told == long


def test_every_top_module_stands_in_the_house() -> None:
    house = (ROOT / "ARCHITECTURE.md").read_text().partition("## The house\n")[2]
    house = house.partition("\n## ")[0]
    words = set(re.findall(r"[\w/]+", house.replace(".py", "")))
    parts = [*(ROOT / "banger_tui").iterdir(), *(ROOT / "banger_tui" / "engine").iterdir()]
    names = {
        path.stem
        for path in parts
        if (path.suffix == ".py" or (path.is_dir() and path.name != "__pycache__"))
        and path.name != "__init__.py"
    }
    folders = {word.rstrip("/") for word in words}
    assert names - folders - {"assets"} == set()


def test_the_key_table_of_the_readme_is_true() -> None:
    from banger_tui.screens import keys

    screens = (keys.HOME.bound, keys.HOME.elsewhere, keys.IMAGE_KEYS.bound, keys.KERNEL_KEYS.bound)
    shown = {key.shown for keys_of_one in screens for key in keys_of_one}
    single = {part for text in shown for part in text.split()}
    table = (ROOT / "README.md").read_text().partition("## Keys\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {key for row in rows for key in re.findall(r"`([^`]+)`", row)}
    assert named
    assert named - single == set()
