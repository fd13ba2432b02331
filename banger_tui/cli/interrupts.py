"""ctrl+c and its kin: asked once, everything winds down; asked again, it still winds down."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from banger_tui.engine.errors import OperationCancelled

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns signals into one orderly end of the main task.

    The first signal takes the present way out (cancel the operation that is followed, else the main
    task). Later ones only say that cleaning up goes on: cut short, it would leave half a VM behind.
    """

    def __init__(self, task: asyncio.Task[object], say: Callable[[str], None]) -> None:
        self._task = task
        self._say = say
        self._way_out: Callable[[], None] | None = None
        self._installed: list[signal.Signals] = []
        self._winding_up = False
        self.asked = False

    def install(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            # Ignored from outside (nohup, a background job of a script): it stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.interrupt)
                self._installed.append(number)

    def remove(self) -> None:
        """The end: an impatient third signal must not turn the exit code into a death by signal."""
        loop = asyncio.get_running_loop()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, self._installed)
        for number in self._installed:
            loop.remove_signal_handler(number)
            if self.asked:
                signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._installed.clear()

    def interrupt(self) -> None:
        """What a signal does."""
        if self.asked or self._winding_up:
            self.asked = True
            self._say("Still cleaning up …")
            return
        self.asked = True
        if self._way_out is not None:
            self._way_out()
        else:
            self._task.cancel()

    @contextmanager
    def instead(
        self, way_out: Callable[[], None], say: Callable[[str], None] | None = None
    ) -> Iterator[None]:
        """Inside the block a signal calls ``way_out`` and leaves the main task alone."""
        before = (self._way_out, self._say)
        self._way_out, self._say = way_out, say or self._say
        try:
            yield
        finally:
            self._way_out, self._say = before

    def wind_up(self) -> None:
        """From now on what runs is the end, and no signal cuts it short."""
        self._winding_up = True

    def check(self) -> None:
        """Go no further when a signal came while something else was winding up.

        Raises:
            OperationCancelled
        """
        if self.asked:
            raise OperationCancelled("Interrupted")
