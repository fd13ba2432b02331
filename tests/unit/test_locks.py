"""The lock files: pinned, hashed, naming no place, and in step with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def entries(lock: str) -> dict[str, tuple[str, int]]:
    """Name -> (version, number of hashes)."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found: dict[str, tuple[str, int]] = {}
    for block in re.split(r"\n(?=\S)", text):
        if match := re.match(r"([\w.-]+)==(\S+)", block):
            hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block))
            found[canonicalize_name(match[1])] = (match[2], hashes)
    return found


def declared(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *(project["optional-dependencies"][name] for name in extras)]
    return [Requirement(line) for group in groups for line in group]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert (
        re.findall(r"https?://|file:/|--(?:index|extra-index|find-links|trusted-host)", text) == []
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_has_hashes(lock: str) -> None:
    pinned = entries(lock)
    assert pinned
    assert [name for name, (_, hashes) in pinned.items() if hashes == 0] == []


@pytest.mark.parametrize(("lock", "extras"), [(LOCKS[0], ()), (LOCKS[1], ("dev",))])
def test_a_lock_fits_what_the_project_declares(lock: str, extras: tuple[str, ...]) -> None:
    pinned = entries(lock)
    for wanted in declared(*extras):
        version, _ = pinned[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), f"{wanted} but {version}: run make lock"


def test_the_tests_run_with_the_versions_people_run() -> None:
    app, tests = (entries(lock) for lock in LOCKS)
    assert {name: entry[0] for name, entry in app.items()}.items() <= {
        name: entry[0] for name, entry in tests.items()
    }.items()
