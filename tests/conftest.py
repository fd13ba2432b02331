"""What every test shares: nothing of the person who runs them is read or written."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from banger_tui.engine.paths import Paths

# A shell starts background jobs with SIGINT and SIGQUIT ignored, nohup ignores SIGHUP, and what is
# ignored is inherited: the programs under test would never feel ctrl+c or a closed terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies below tests/live and tests/host is marked so: the folder says it once."""
    for folder in ("live", "host"):
        for item in items:
            if Path(__file__).parent / folder in item.path.parents:
                item.add_marker(folder)


@pytest.fixture(autouse=True)
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """State, cache and configuration of each test live below its own directory.

    Its sockets may not: where the path is too long for one, they lie in /tmp.
    """
    home = tmp_path / "banger-home"
    monkeypatch.setenv("BANGER_HOME", str(home))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    yield home
    # Some tests leave names behind that can't be looked at.
    with contextlib.suppress(OSError):
        for state in itertools.chain(
            *(tmp_path.glob(f"{'*/' * depth}state") for depth in range(3))
        ):
            runtime = Paths.below(state.parent).runtime
            if tmp_path not in runtime.parents:
                shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small image and its kernel, built once; BANGER_TEST_TEMPLATE=DIR keeps it."""
    import asyncio

    from tests.engine_fixtures.template import make_template

    kept = os.environ.get("BANGER_TEST_TEMPLATE")
    root = Path(kept) if kept else tmp_path_factory.mktemp("template")
    asyncio.run(make_template(root))
    return root


@pytest.fixture
def real_home(template: Path, tmp_path: Path) -> Iterator[Path]:
    """A home of this test's own with image and kernel; its VMMs end with the test."""
    from banger_tui.engine.process import processes_with
    from tests.engine_fixtures.template import link_template

    root = link_template(template, tmp_path / "home")
    yield root
    from banger_tui.engine.paths import Paths

    for process, _ in processes_with(f"unix:{Paths.below(root).runtime}/"):
        process.signal(signal.SIGKILL)
