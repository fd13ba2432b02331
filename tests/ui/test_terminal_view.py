"""The terminal panel in a running app: keys, floods, a real program on a real pty."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios
from time import perf_counter

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.strip import Strip
from textual.widgets import ContentSwitcher, Input

from banger_tui.widgets.terminal import TerminalView, canvas
from banger_tui.widgets.terminal.core import ENGINE_VARIABLE, Row
from banger_tui.widgets.terminal.strips import row_strip
from tests.ui.terminal_app import LEADER, TerminalApp, screen_text, until


def sizes(app: TerminalApp) -> list[tuple[int, int]]:
    return [(message.cols, message.rows) for message in app.heard(TerminalView.Resized)]


def titles(app: TerminalApp) -> list[str]:
    return [message.title for message in app.heard(TerminalView.TitleChanged)]


async def test_every_key_but_the_leader_reaches_the_guest() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        expected = b""
        for key, data in [
            ("ctrl+c", b"\x03"),
            ("ctrl+q", b"\x11"),
            ("ctrl+p", b"\x10"),
            ("tab", b"\t"),
            ("shift+tab", b"\x1b[Z"),
            ("escape", b"\x1b"),
            ("f1", b"\x1bOP"),
            ("a", b"a"),
            ("b", b"b"),
            ("enter", b"\r"),
            ("pageup", b"\x1b[5~"),
            ("ctrl+d", b"\x04"),
            ("ctrl+z", b"\x1a"),
            ("space", b" "),
        ]:
            expected += data
            await pilot.press(key)
            assert bytes(app.inputs) == expected, key
        assert app.stolen == []
        assert app.focused is app.terminal
        await pilot.press(LEADER, "d")
        await pilot.pause()
        assert app.commands == ["detach"]
        assert app.stolen == []
        assert bytes(app.inputs) == expected


async def test_without_focus_the_bindings_are_the_apps() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        app.query_one("#other").focus()
        await pilot.press("ctrl+c", "b")
        assert app.stolen == ["ctrl+c", "b"]
        assert app.inputs == b""


async def test_read_only_gives_the_keys_back() -> None:
    app = TerminalApp(read_only=True)
    async with app.run_test() as pilot:
        await app.terminal.write(b"\x1b[c\x1b[?1000h\x1b[?1006h")
        app.terminal.paste("text")
        await pilot.press("ctrl+c", "b", "x")
        await pilot.click("#terminal")
        await pilot.pause()
        assert app.stolen == ["ctrl+c", "b"]
        assert app.inputs == b""
        await pilot.press(LEADER, "a", LEADER, "d")
        await pilot.pause()
        assert app.commands == ["detach"]
        assert app.stolen == ["ctrl+c", "b"]
        app.terminal.read_only = False
        await pilot.press("ctrl+c")
        assert app.stolen == ["ctrl+c", "b"]
        assert app.inputs == b"\x03"


async def test_a_maximized_terminal_gets_escape_when_the_app_allows_it() -> None:
    class Maximized(TerminalApp):
        ESCAPE_TO_MINIMIZE = False

    app = Maximized()
    async with app.run_test() as pilot:
        app.screen.maximize(app.terminal)
        await pilot.pause()
        await pilot.press("escape")
        assert app.inputs == b"\x1b"


async def test_output_before_layout_and_size_message() -> None:
    view = TerminalView(id="late")
    await view.write(b"early bird")
    assert view.grid == (80, 24)
    assert view.text().startswith("early bird")
    app = TerminalApp()
    async with app.run_test(size=(90, 30)) as pilot:
        assert sizes(app) == [(90, 26)]
        assert app.terminal.grid == (90, 26)
        await app.terminal.remove()
        await app.mount(view, after="#status")
        await until(pilot, lambda: "early bird" in screen_text(app))
        assert view.grid == (90, 26)
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: sizes(app)[-1] == (60, 16))
        assert "early bird" in screen_text(app)
    await view.write(b"after the end")


async def test_replies_title_and_bell() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await app.terminal.write(b"\x1b[c\x1b]0;vim\x1b[31m\x07\x07\x07")
        await until(
            pilot, lambda: app.inputs.startswith(b"\x1b[?") and bool(app.heard(TerminalView.Bell))
        )
        assert app.inputs.endswith(b"c")
        await app.terminal.write(b"\x1b\\\x1b]0;top\x07")
        await until(
            pilot, lambda: [m.title for m in app.heard(TerminalView.TitleChanged)][-1:] == ["top"]
        )
        assert app.terminal.title == "top"
        assert app.title == "TerminalApp"
        app.terminal.reset()
        await until(pilot, lambda: app.terminal.title == "")


async def test_paste_and_application_keys() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        app.terminal.paste("one\ntwo")
        await pilot.pause()
        assert app.inputs == b"one\rtwo"
        app.inputs.clear()
        await app.terminal.write(b"\x1b[?2004h\x1b[?1h")
        app.terminal.post_message(events.Paste("a\x1b[201~b"))
        await pilot.press("up")
        assert app.inputs == b"\x1b[200~ab\x1b[201~\x1bOA"


async def test_scrollback_by_keys_and_wheel() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(b"".join(b"line %d\r\n" % n for n in range(100)))
        await until(pilot, lambda: "line 99" in screen_text(app))
        await pilot.press("shift+pageup")
        assert not view.at_bottom
        await until(pilot, lambda: "line 99" not in screen_text(app))
        await pilot.press("shift+pagedown")
        assert view.at_bottom
        for event in (events.MouseScrollUp, events.MouseScrollUp, events.MouseScrollDown):
            view.post_message(event(view, 1, 1, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert not view.at_bottom
        view.scroll_to_top()
        await until(pilot, lambda: "line 0 " in screen_text(app))
        await pilot.press("x")
        assert view.at_bottom
        assert app.inputs == b"x"
        await view.write(b"\x1b[?1049h")
        await pilot.press("shift+pageup")
        assert app.inputs == b"x\x1b[5;2~"
        view.post_message(events.MouseScrollUp(view, 1, 1, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert app.inputs.endswith(b"\x1b[A\x1b[A\x1b[A")


async def test_mouse_goes_to_a_guest_that_asks() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await pilot.click("#terminal", offset=(4, 2))
        assert app.inputs == b""
        await app.terminal.write(b"\x1b[?1000h\x1b[?1006h")
        await pilot.click("#terminal", offset=(4, 2))
        await pilot.pause()
        assert app.inputs == b"\x1b[<0;5;3M\x1b[<0;5;3m"
        app.inputs.clear()
        app.terminal.styles.border = ("solid", "red")
        await pilot.pause()
        await pilot.click("#terminal", offset=(4, 2))
        await pilot.pause()
        assert app.inputs == b"\x1b[<0;4;2M\x1b[<0;4;2m"


async def test_focus_reports() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await app.terminal.write(b"\x1b[?1004h")
        app.query_one("#other").focus()
        await pilot.pause()
        app.terminal.focus()
        await pilot.pause()
        assert app.inputs == b"\x1b[O\x1b[I"


def cursor_style(app: TerminalApp) -> tuple[bool, bool]:
    """(reverse, underline) of the first cell of the terminal."""
    style = next(iter(app.terminal.render_line(0))).style
    assert style is not None
    return bool(style.reverse), bool(style.underline)


async def test_cursor_shows_the_focus() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await app.terminal.write(b"\x1b[1;1Hx\x1b[1;1H")
        await until(pilot, lambda: cursor_style(app) == (True, False))
        app.query_one("#other").focus()
        await until(pilot, lambda: cursor_style(app) == (False, True))
        await app.terminal.write(b"\x1b[?25l")
        await until(pilot, lambda: cursor_style(app) == (False, False))


async def test_a_synchronised_update_is_painted_as_one_but_not_for_ever() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await app.terminal.write(b"before")
        await until(pilot, lambda: "before" in screen_text(app))
        await app.terminal.write(b"\x1b[?2026h\rhalves")
        assert "halves" not in screen_text(app)
        await until(pilot, lambda: "halves" in screen_text(app), seconds=5)


async def test_a_tiny_widget_keeps_the_cursor_in_sight() -> None:
    app = TerminalApp()
    async with app.run_test(size=(30, 6)) as pilot:
        assert app.terminal.size.height == 2
        assert app.terminal.grid == (30, 5)
        await app.terminal.write(b"1\r\n2\r\n3\r\n4\r\nfive")
        await until(pilot, lambda: "five" in screen_text(app))


async def test_no_colour_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = TerminalApp()
    async with app.run_test() as pilot:
        await app.terminal.write(b"\x1b[38;2;255;0;0mred\x1b[0m")
        await until(pilot, lambda: "red" in screen_text(app))
        for line in app.screen._compositor.render_strips():
            for segment in line:
                color = segment.style.color if segment.style is not None else None
                if color is not None and color.triplet is not None:
                    assert len(set(color.triplet)) == 1, segment


async def test_a_hidden_terminal_is_fed_but_not_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tabs(App[None]):
        def compose(self) -> ComposeResult:
            with ContentSwitcher(initial="front"):
                yield Vertical(Input(), id="front")
                yield TerminalView(id="back")

    app = Tabs()
    async with app.run_test() as pilot:
        view = app.query_one(TerminalView)
        painted: list[int] = []

        def counted(row: Row) -> Strip:
            painted.append(1)
            return row_strip(row)

        monkeypatch.setattr(canvas, "row_strip", counted)
        await view.write(b"hidden text\r\n" * 100)
        await pilot.pause(0.1)
        assert painted == []
        app.query_one(ContentSwitcher).current = "back"
        await until(pilot, lambda: "hidden text" in screen_text(app))
        painted.clear()
        app.query_one(ContentSwitcher).current = "front"
        await pilot.pause(0.1)
        await view.write(b"more\r\n" * 100)
        await pilot.pause(0.1)
        assert painted == []
        app.query_one(ContentSwitcher).current = "back"
        await until(pilot, lambda: "more" in screen_text(app))


async def test_a_flood_leaves_the_loop_to_others() -> None:
    app = TerminalApp()
    line = b"\x1b[32mflood\x1b[0m of text, a line like many others from a busy build %06d\r\n"
    block = b"".join(line % n for n in range(4_000))
    total = 20 * 1024 * 1024
    async with app.run_test(size=(120, 40)) as pilot:
        await app.terminal.write(b"warm")
        late: list[float] = []
        done = asyncio.Event()

        async def beat() -> None:
            while not done.is_set():
                began = perf_counter()
                await asyncio.sleep(0.005)
                late.append(perf_counter() - began - 0.005)

        beats = asyncio.create_task(beat())
        fed = 0
        beats_by_quarter: list[int] = []
        while fed < total:
            await app.terminal.write(block)
            fed += len(block)
            if fed * 4 // total > len(beats_by_quarter):
                beats_by_quarter.append(len(late))
        await app.terminal.write(b"\r\nthe end")
        done.set()
        await beats
        await until(pilot, lambda: "the end" in screen_text(app))
        # Other tasks ran all along, between the slices of the flood, not only before and after.
        gaps = [b - a for a, b in zip([0, *beats_by_quarter], beats_by_quarter, strict=False)]
        assert min(gaps) >= 3, gaps
        late.sort()
        assert late[len(late) * 9 // 10] < 0.1, late[-10:]
        assert bytes(app.inputs) == b""


async def test_going_away_in_the_middle_of_a_flood() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        writer = asyncio.create_task(app.terminal.write(b"\x1b[31mx\x1b[m\r\n" * 1_000_000))
        await pilot.pause(0.1)
        assert not writer.done()
        await app.terminal.remove()
        await asyncio.wait_for(writer, 5)


async def test_costly_output_leaves_the_loop_to_others() -> None:
    app = TerminalApp()
    async with app.run_test(size=(200, 60)):
        await app.terminal.write(b"warm")
        # Each of these two bytes makes everything anew.
        writer = asyncio.create_task(app.terminal.write(b"\x1bc" * 60_000))
        turns = 0
        while not writer.done():
            await asyncio.sleep(0)
            turns += 1
            await asyncio.sleep(0.005)
        assert turns >= 10


async def test_writes_keep_their_order() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        view = app.terminal
        text = [b"%d," % n for n in range(200)]
        await asyncio.gather(*(view.write(piece) for piece in text))
        assert view.text().replace("\n", "").startswith(b"".join(text).decode())
        await pilot.pause()


class PtyApp(TerminalApp):
    """The panel glued to `sh` on a real pty, the way a screen glues it to a guest."""

    def on_mount(self) -> None:
        super().on_mount()
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", PS1="$ ", ENV="", HISTFILE="")
            os.execvp("sh", ["sh"])
        self.pid, self.fd = pid, fd
        os.set_blocking(fd, False)
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue()
        asyncio.get_running_loop().add_reader(fd, self._readable)
        self.pump = asyncio.create_task(self._pump())

    def _readable(self) -> None:
        try:
            self.chunks.put_nowait(os.read(self.fd, 65536))
        except OSError:
            asyncio.get_running_loop().remove_reader(self.fd)

    async def _pump(self) -> None:
        while True:
            await self.terminal.write(await self.chunks.get())

    @on(TerminalView.Input)
    def _to_guest(self, message: TerminalView.Input) -> None:
        os.write(self.fd, message.data)

    @on(TerminalView.Resized)
    def _size_to_guest(self, message: TerminalView.Resized) -> None:
        fcntl.ioctl(
            self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", message.rows, message.cols, 0, 0)
        )

    def close(self) -> None:
        self.pump.cancel()
        asyncio.get_running_loop().remove_reader(self.fd)
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.mark.parametrize("engine", ["ghostty", "bittty"])
async def test_a_real_shell(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, engine)
    app = PtyApp()
    async with app.run_test(size=(80, 24)) as pilot:
        try:
            view = app.terminal
            await until(pilot, lambda: "$" in view.text())
            await pilot.press(*"echo $((6*7))", "enter")
            await until(pilot, lambda: "\n42 " in screen_text(app))
            view.paste("stty size\n")
            await until(pilot, lambda: "20 80" in screen_text(app))
            await pilot.resize_terminal(100, 30)
            await until(pilot, lambda: view.grid == (100, 26))
            view.paste("stty size\n")
            await until(pilot, lambda: "26 100" in screen_text(app))
            await pilot.press(*"cat", "enter", *"hld")
            await until(pilot, lambda: view.text().rstrip().endswith("hld"))
            await pilot.press("ctrl+c")
            await until(pilot, lambda: "^C" in screen_text(app))
            view.paste("echo back-$((1+1))\n")
            await until(pilot, lambda: "back-2" in screen_text(app))
            view.paste("echo one\necho two\n")
            await until(pilot, lambda: "$ two" in view.text())
            assert not app.pump.done()
        finally:
            app.close()
