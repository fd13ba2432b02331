"""The app on the fake driver: opened, driven and closed within one test."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import _wait
from textual.pilot import Pilot

from banger_tui.app import BangerApp
from banger_tui.engine.hypervisors import fake_artefacts
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.hypervisors.fake_artefacts import FakeBuilders
from banger_tui.engine.model import OperationState, VmRecord, VmState
from banger_tui.engine.paths import Paths
from banger_tui.screens.home import HomeScreen
from banger_tui.settings import Loaded

SIZE = (120, 36)
#: Keys that give the keyboard back from a terminal.
LEAVE = ("ctrl+right_square_bracket", "d")


async def until(
    condition: Callable[[], object], *, seconds: float = 40.0, every: float = 0.02, what: str = ""
) -> None:
    """Wait for something to become true; the app goes on meanwhile.

    The time is generous: on a busy host everything is slow, and only a failure waits to its end.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        if loop.time() > end:
            raise AssertionError(f"did not happen in {seconds} s: {what or condition}")
        await asyncio.sleep(every)


def hear(app: BangerApp) -> list[str]:
    """What the app tells in toasts, as ``title: text``, from now on.

    A toast is gone after seconds: on a busy host before a test has looked.
    """
    told: list[str] = []
    notify = app.notify

    def noted(message: str, **options: Any) -> None:
        told.append(f"{options.get('title', '')}: {message}")
        notify(message, **options)

    app.notify = noted  # type: ignore[method-assign]
    return told


@pytest.fixture(autouse=True)
def settled_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the app for idle when it needs a quarter of a core.

    Textual waits after every key until the process needs a twentieth, at most a second. Under
    asyncio's debug mode that is a second for every key: the guests of the fake driver live in this
    process, too.
    """
    monkeypatch.setattr(_wait, "SLEEP_IDLE", _wait.SLEEP_GRANULARITY / 4)


class Running:
    """An open app under test, with words for what tests look at."""

    def __init__(
        self,
        app: BangerApp,
        pilot: Pilot[None],
        driver: FakeDriver,
        told: list[str] | None = None,
    ) -> None:
        self.app = app
        self.pilot = pilot
        self.driver = driver
        self.told = hear(app) if told is None else told

    @property
    def home(self) -> HomeScreen:
        return next(s for s in self.app.screen_stack if isinstance(s, HomeScreen))

    @property
    def vms(self) -> dict[str, VmRecord]:
        """Machines by name, as the app sees them."""
        return {vm.name: vm for vm in self.app.bridge.world.vms.values()}

    def state(self, name: str) -> VmState | None:
        vm = self.vms.get(name)
        return vm.state if vm else None

    def ended(self, kind: str) -> list[OperationState]:
        """How the finished operations of a kind have ended."""
        operations = self.app.bridge.world.operations.values()
        return [o.state for o in operations if o.kind == kind and o.state.over]

    def shown(self) -> str:
        """All text on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(
        self, condition: Callable[[], object], what: str = "", every: float = 0.02
    ) -> None:
        try:
            await until(condition, what=what, every=every)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.shown()}") from None

    async def sees(self, *texts: str) -> None:
        """Wait until all of these stand on the screen."""
        await self.until(
            lambda: (lambda shown: all(text in shown for text in texts))(self.shown()),
            what=f"{texts} on screen",
            every=0.1,  # drawing it all is work: looking more often would slow what is waited for
        )

    async def pull(self, *names: str) -> None:
        """Pull images by the engine, to their end."""
        images = self.app.bridge.engine.images
        for operation in [await images.pull(name) for name in names]:
            await operation.result()

    async def run_one(self) -> VmRecord:
        """Run a sandbox and wait until its shell has the focus."""
        before = set(self.vms)
        await self.press("r")
        await self.until(
            lambda: any(vm.running and vm.name not in before for vm in self.vms.values()),
            "a new machine runs",
        )
        name = next(vm.name for vm in self.vms.values() if vm.running and vm.name not in before)
        await self.sees(f"root@{name}:~#")
        return self.vms[name]


@pytest.fixture
def builders(monkeypatch: pytest.MonkeyPatch) -> FakeBuilders:
    """What makes the images and kernels of every app of this test."""
    made = FakeBuilders()
    monkeypatch.setattr(fake_artefacts, "FakeBuilders", lambda: made)
    return made


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.below(tmp_path)


@pytest.fixture
def start(paths: Paths) -> Start:
    """``async with start(driver) as ui:`` an open app, its engine ready."""

    @asynccontextmanager
    async def opened(
        driver: FakeDriver | None = None,
        *,
        size: tuple[int, int] = SIZE,
        before: Callable[[BangerApp], Awaitable[None]] | None = None,
        settings: Loaded | None = None,
    ) -> AsyncIterator[Running]:
        driver = driver or FakeDriver()
        app = BangerApp(paths, settings=settings or Loaded(), driver=driver)
        told = hear(app)
        async with app.run_test(size=size, notifications=True) as pilot:
            if before is not None:
                await before(app)
            await until(lambda: app.bridge.is_open, what="the engine opens")
            await pilot.pause()
            yield Running(app, pilot, driver, told)

    return opened


class SlowCallbacks(logging.Handler):
    """What the event loop says about callbacks that blocked it, in debug mode."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if " took " in message:
            self.seen.append(message)

    def begin(self, seconds: float) -> None:
        """From here on no callback may block the loop for longer."""
        loop = asyncio.get_running_loop()
        assert loop.get_debug()
        # As after the app's own start: what pytest has loaded is not looked through for garbage.
        gc.freeze()
        loop.slow_callback_duration = seconds
        self.seen.clear()


@pytest.fixture
def slow_callbacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowCallbacks]:
    # A third of the time would go into noting where each callback was made.
    monkeypatch.setattr("asyncio.constants.DEBUG_STACK_DEPTH", 1)
    # A handler of our own: pytest's forgets what a test's body logged before a fixture looks at it.
    handler = SlowCallbacks()
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
