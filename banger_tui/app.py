"""The full-screen app: opens the engine behind the first paint, closes it at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import Reactive
from textual.screen import ModalScreen, Screen
from textual.theme import Theme

from banger_tui import alt_keys, startup
from banger_tui.bridge import Bridge, Changed, Opened, OpenFailed, Resumed
from banger_tui.engine.model import OperationState
from banger_tui.screens.home import HomeScreen
from banger_tui.settings import DEFAULT_THEME, Loaded, load
from banger_tui.widgets import units
from banger_tui.widgets.terminal import core, palette

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from textual.command import Provider

    from banger_tui.engine.api import Engine
    from banger_tui.engine.hypervisors.base import Driver
    from banger_tui.engine.paths import Paths

Place = Literal["machines", "images", "kernels", "sessions"]

_HANGUP_SECONDS = 60.0  # what is under way has this long to clean up once the terminal is gone
_AT_LATEST = 1.0  # seconds until the engine is opened, whether the first frame has come or not

THEME = Theme(
    name=DEFAULT_THEME,
    primary="#58A6D6",
    secondary="#58A6D6",
    accent="#58A6D6",
    success="#5FBF77",
    warning="#E0A84A",
    error="#E5677A",
    foreground="#D6DAE0",
    background="#14171C",
    surface="#1B1F26",
    panel="#262C36",
    dark=True,
)


def _commands() -> type[Provider]:
    from banger_tui.commands import Commands

    return Commands


class BangerApp(App[None]):
    """Home screen on a bridge; everything else is pushed on top."""

    TITLE = "banger-tui"
    CSS_PATH = Path(__file__).with_name("banger.tcss")  # also for subclasses elsewhere
    ESCAPE_TO_MINIMIZE = False
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  # as App has it
    COMMANDS: ClassVar[set[Any]] = {_commands}
    ansi_theme_dark = Reactive(palette.DARK, init=False)
    ansi_theme_light = Reactive(palette.LIGHT, init=False)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True)
    ]

    def __init__(
        self, paths: Paths, *, settings: Loaded | None = None, driver: Driver | None = None
    ) -> None:
        """
        Args:
            settings: None: read from the configuration file.
            driver: what runs machines; None: as the settings say.
        """
        super().__init__()
        self.paths = paths
        self.settings = load(paths.config_file) if settings is None else settings
        self.register_theme(THEME)
        if self.no_color:
            self._leave_colors_out()
        # Not only when mounted: the first frame has the right colours, nothing is parsed twice.
        self.set_reactive(App.theme, self._known_theme())
        self.stylesheet.set_variables(self.get_css_variables())
        alt_keys.install()
        core.prefer(self.settings.terminal.emulator)
        self.bridge = Bridge()
        self.crash: str = ""
        self._driver_of_engine = driver
        self._entered = False
        self._quitting = False
        self._terminal_lost = False
        self._resumed: set[str] = set()

    def get_default_screen(self) -> Screen[None]:
        return HomeScreen(self.bridge, self.paths, self.settings.engine, self.settings.terminal)

    def on_mount(self) -> None:
        self.call_after_refresh(self._enter)
        # A key that comes before the first frame may open another screen: what waits for the frame
        # of the one below then waits for ever.
        self.set_timer(_AT_LATEST, self._enter)

    def _enter(self) -> None:
        """After the first frame: the engine."""
        if self._entered:
            return
        self._entered = True
        self.bridge.listen(self)
        self.connect()
        problems = list(self.settings.problems)
        if self.settings.theme not in self.available_themes:
            known = ", ".join(sorted(self.available_themes))
            where = f"{self.paths.config_file}: app.theme"
            problems.append(f"{where}: no theme {self.settings.theme!r}; known are {known}")
        for problem in problems:
            self.notify(problem, title="Setting left out", severity="warning", timeout=20,
                        markup=False)  # fmt: skip

    @on(Opened)
    @on(OpenFailed)
    def _started(self) -> None:
        startup.over()

    def _leave_colors_out(self) -> None:
        from banger_tui.widgets.no_color import BLACK_AND_WHITE, WithoutColors

        self.register_theme(BLACK_AND_WHITE)
        # All of Textual's: each of them writes colours, even the one that it has for NO_COLOR.
        self._filters[:] = [WithoutColors()]

    def _known_theme(self) -> str:
        theme = "no-color" if self.no_color else self.settings.theme
        return theme if theme in self.available_themes else DEFAULT_THEME

    def connect(self) -> None:
        """Open the engine in the background; it is imported only then."""

        def make() -> AbstractAsyncContextManager[Engine]:
            from banger_tui.engine.api import Engine

            return Engine(self.paths, self.settings.engine, driver=self._driver_of_engine)

        self.bridge.open(make)

    async def on_unmount(self) -> None:
        await self.disconnect()

    async def disconnect(self) -> None:
        """Close the engine."""
        await self.bridge.close()

    # -- the main screens

    def action_go(self, place: Place) -> None:
        """Show one of the main screens; each stays as it was left."""
        if isinstance(self.screen, ModalScreen) or self.screen.id == place:
            return
        if place == "machines":
            if len(self.screen_stack) > 1:
                self.pop_screen()
            return
        if not self.is_screen_installed(place):
            self.install_screen(self._make(place), place)
        if len(self.screen_stack) > 1:
            self.switch_screen(place)
        else:
            self.push_screen(place)

    def _make(self, place: Place) -> Screen[None]:
        # Late: most starts of the app never show them.
        screen: Screen[None]
        if place == "images":
            from banger_tui.screens.images import ImagesScreen

            screen = ImagesScreen(self.bridge, self.paths)
        elif place == "sessions":
            from banger_tui.screens.sessions import SessionsScreen

            screen = SessionsScreen(self.bridge, self.paths)
        else:
            from banger_tui.screens.kernels import KernelsScreen

            screen = KernelsScreen(self.bridge, self.paths)
        screen.id = place
        return screen

    def action_run_image(self, image: str) -> None:
        """A sandbox from this image, on the screen of machines."""
        home = self.screen_stack[0]
        assert isinstance(home, HomeScreen)
        self.action_go("machines")
        home.run_image(image)

    def action_attach(self, vm_id: str, name: str) -> None:
        """A session in the panel, on the screen of machines."""
        home = self.screen_stack[0]
        assert isinstance(home, HomeScreen)
        self.action_go("machines")
        home.attach(vm_id, name)

    # -- pulls that go on from the last time

    @on(Resumed)
    def _pulls_resumed(self, message: Resumed) -> None:
        self._resumed.update(operation.id for operation in message.operations)
        names = ", ".join(units.plain(o.subject, 60) for o in message.operations)
        self.notify(f"Pulled on from where it was left: {names}. 2 shows it.",
                    title="Resumed", timeout=10, markup=False)  # fmt: skip
        self._tell_ends()

    @on(Changed)
    def _tell_ends(self) -> None:
        """Tell the end of what was resumed: nobody here has begun it."""
        for operation_id in tuple(self._resumed):
            operation = self.bridge.world.operations.get(operation_id)
            if operation is None or not operation.state.over:
                continue
            self._resumed.discard(operation_id)
            subject = units.plain(operation.subject, 60)
            if operation.state is OperationState.DONE:
                self.notify(f"{subject} is here", markup=False)
            elif (told := operation.failure) and operation.state is OperationState.FAILED:
                self.notify(units.plain(told.title), title=f"Failed: pull image {subject}",
                            severity="error", timeout=20, markup=False)  # fmt: skip

    # -- the end

    async def action_quit(self) -> None:
        """Quit; with operations under way only after a question."""
        live = self.bridge.engine.operations.live() if self.bridge.is_open else []
        if self._quitting or not live:
            await self.leave()
            return
        from banger_tui.screens import quitting

        if self.screen.id == quitting.ID:
            return

        async def answered(answer: str | bool | None) -> None:
            if answer == quitting.LEAVE:
                await self.leave()
            elif answer in (True, quitting.CANCEL):
                await self.leave(resume=False)

        views = [operation.view for operation in live]
        self.push_screen(quitting.screen(views, self.bridge.world.outermost()), answered)

    async def leave(self, *, resume: bool = True) -> None:
        """Close the engine and end; what is under way cleans up first.

        Args:
            resume: pulls under way go on at the next start.
        """
        if not self._quitting:
            self._quitting = True
            if self.bridge.is_open and self.bridge.engine.operations.live():
                self.notify("What was made so far is being taken away.", title="Leaving",
                            timeout=600, markup=False)  # fmt: skip
            self.run_worker(self._leave(resume=resume), group="leave")

    async def _leave(self, *, resume: bool) -> None:
        if resume and self.bridge.is_open:
            await self.bridge.resume_pulls_later()
        await self.disconnect()
        if self._terminal_lost:
            # Nothing to restore, and drawing the end could wait for ever.
            os._exit(128 + signal.SIGHUP)
        self.exit()

    def terminal_lost(self, loop: asyncio.AbstractEventLoop) -> None:
        """The terminal has been closed under us: clean up and end.

        Textual draws by a thread that dies at the first failed write; its queue then fills and
        blocks the event loop. So from here on drawing goes nowhere, and where it blocks already,
        the process ends all the same: state survives that at any moment.
        """
        self._terminal_lost = True
        null = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):
            os.dup2(null, number)
        loop.call_soon_threadsafe(self.call_later, self.leave)
        last_resort = threading.Timer(_HANGUP_SECONDS, os._exit, (128 + signal.SIGHUP,))
        last_resort.daemon = True
        last_resort.start()

    def action_help_quit(self) -> None:
        self.notify("q quits; ctrl+] d leaves a terminal.", markup=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Only what this app means: themes; the rest is in ``Commands``."""
        yield SystemCommand("Theme", "Another set of colours", self.action_change_theme)
        yield SystemCommand("Save a picture of the screen", "SVG", self.action_screenshot)

    def _fatal_error(self) -> None:
        """A bug: told in three lines after the end; the traceback goes to the log."""
        if os.environ.get("BANGER_DEBUG") or self.is_headless:
            super()._fatal_error()
            return
        file = self.paths.logs / "app.log"
        self.crash = _record_crash(file)
        self._close_messages_no_wait()


def _record_crash(file: Path) -> str:
    error = sys.exception()
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as stream:
            traceback.print_exception(error, file=stream)
    return (
        "error: Something went wrong inside banger-tui\n"
        f"{type(error).__name__}: {str(error)[:300]}\n"
        f"hint: details are in {file}; machines run on, start banger-tui again."
    )


def run(paths: Paths) -> int:
    """Run the app to its end and return the exit code."""
    app = BangerApp(paths)

    async def main() -> None:
        loop = asyncio.get_running_loop()

        loop.add_signal_handler(signal.SIGTERM, app.call_later, app.leave)
        # Not by the loop: it may already be waiting for a terminal that takes nothing any more.
        signal.signal(signal.SIGHUP, lambda *_: app.terminal_lost(loop))
        try:
            await app.run_async()
        finally:
            await app.disconnect()

    asyncio.run(main())
    if app.crash:
        print(app.crash, file=sys.stderr)  # noqa: T201  # after the screen is gone
        return 1
    return app.return_code or 0
