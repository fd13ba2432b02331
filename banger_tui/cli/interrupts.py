"""ctrl+c and its kin: asked once, everything winds down; asked again, it still winds down."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

from banger_tui.engine.errors import OperationCancelled

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a program in a guest is told of. Not SIGHUP: when the terminal has gone, so have we.
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


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

    @contextmanager
    def passing_on(self, send: Callable[[str], Coroutine[object, object, None]]) -> Iterator[None]:
        """Inside the block signals go to a program elsewhere, as ``send("TERM")``. A second SIGINT
        or SIGTERM is for us: that program may not listen."""
        loop = asyncio.get_running_loop()
        under_way: set[asyncio.Task[None]] = set()
        asked = False

        def pass_on(number: signal.Signals) -> None:
            nonlocal asked
            if number in _SIGNALS:
                if asked:
                    self.interrupt()
                    return
                asked = True
            task = loop.create_task(send(number.name.removeprefix("SIG")))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

        numbers = [n for n in _PASSED_ON if signal.getsignal(n) is not signal.SIG_IGN]
        for number in numbers:
            loop.add_signal_handler(number, pass_on, number)
        try:
            yield
        finally:
            for number in numbers:
                if number in self._installed:
                    loop.add_signal_handler(number, self.interrupt)
                else:
                    loop.remove_signal_handler(number)
            for task in under_way:
                task.cancel()

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
