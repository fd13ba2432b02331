"""The direction of dependencies, as ARCHITECTURE.md draws it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "banger_tui"

# The forbidden lists of the import contracts name what exists; this allow-list also covers a module
# of the engine that is added later.
WIDGETS_MAY_SEE = {
    "banger_tui.engine.model",
    "banger_tui.engine.events",
    "banger_tui.engine.errors",
}


def lint_imports(cwd: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    command = [str(linter), "--no-cache", "--config", str(cwd / "pyproject.toml")]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def imported_modules(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_import_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """Every module the contracts speak of, empty: what breaks is the violation alone."""
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(config, encoding="utf-8")
    modules = set()
    for contract in tomllib.loads(config)["tool"]["importlinter"]["contracts"]:
        modules |= set(contract.get("source_modules", [])) | set(
            contract.get("forbidden_modules", [])
        )
        for container in contract.get("containers", []):
            names = re.findall(r"\w+", " ".join(contract["layers"]))
            modules |= {f"{container}.{name}" for name in names}
    for module in modules - {"textual", "rich", "banger_tui.__main__"}:
        for depth in range(1, module.count(".") + 2):
            package = tmp_path.joinpath(*module.split(".")[:depth])
            package.mkdir(exist_ok=True)
            (package / "__init__.py").touch()
    assert lint_imports(tmp_path).returncode == 0
    return tmp_path


@pytest.mark.parametrize(
    ("module", "violation", "contract"),
    [
        ("engine/model/probe.py", "import textual", "The engine knows nothing of the screen"),
        ("engine/vms/probe.py", "from rich.text import Text", "The engine knows nothing"),
        ("engine/store/probe.py", "import banger_tui.bridge", "The engine knows nothing"),
        ("widgets/probe.py", "import banger_tui.engine.api", "Widgets take data"),
        ("widgets/probe.py", "from banger_tui.engine import store", "Widgets take data"),
        ("widgets/probe.py", "import banger_tui.screens", "Command line and app"),
        ("cli/probe.py", "import banger_tui.app", "Command line and app"),
        ("engine/vms/probe.py", "import banger_tui.engine.api", "In the engine"),
        ("engine/model/probe.py", "import banger_tui.engine.operations", "In the engine"),
        ("engine/unplaced.py", "", "In the engine"),
    ],
)
def test_a_violation_breaks_its_contract(
    skeleton: Path, module: str, violation: str, contract: str
) -> None:
    (skeleton / "banger_tui" / module).write_text(f"{violation}\n", encoding="utf-8")

    result = lint_imports(skeleton)

    broken = [line for line in result.stdout.splitlines() if line.rstrip().endswith("BROKEN")]
    assert result.returncode != 0
    assert any(line.startswith(contract) for line in broken), result.stdout + result.stderr


def test_widgets_see_only_data_of_the_engine() -> None:
    offenders = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in (PACKAGE / "widgets").rglob("*.py")
        for name in imported_modules(file)
        if name.startswith("banger_tui.engine")
        and not any(name == seen or name.startswith(f"{seen}.") for seen in WIDGETS_MAY_SEE)
    }
    assert offenders == set()


def test_the_engine_loads_without_the_screen() -> None:
    script = (
        "import json, sys; import banger_tui.engine.api; "
        "print(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert {"textual", "rich"}.isdisjoint(json.loads(result.stdout))
