"""What goes between the guest and the person's desktop: pastes, copies, titles, bells."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widgets import ContentSwitcher, Input

from banger_tui.widgets.terminal import TerminalView, reports
from banger_tui.widgets.terminal.core import CursorShape, VtCore
from tests.ui.terminal_app import LEADER, TerminalApp, screen_text, until


@pytest.mark.parametrize(
    ("text", "bracketed", "allowed", "lines"),
    [
        ("one", False, 1, 0),
        ("one\n", False, 1, 1),
        ("one\ntwo", False, 1, 2),
        ("one\ntwo", True, 1, 0),
        ("one\r\ntwo\r\n", True, 1, 2),
        ("one\ntwo\nthree", True, 1, 3),
        ("one\ntwo\nthree", True, 2, 0),
        ("one\rtwo\rthree", True, 1, 3),
        ("one\ntwo\nthree", False, None, 0),
    ],
)
async def test_many_lines_are_asked_about(
    text: str, bracketed: bool, allowed: int | None, lines: int
) -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        view = app.terminal
        view.paste_newlines = allowed
        await view.write(b"\x1b[?2004h" if bracketed else b"x")
        view.post_message(events.Paste(text))
        await pilot.pause()
        asked = app.heard(TerminalView.PasteAsked)
        assert [(m.text, m.lines) for m in asked] == ([(text, lines)] if lines else [])
        assert bool(app.inputs) is not bool(lines)
        app.inputs.clear()
        view.paste(text)
        await pilot.pause()
        assert app.inputs.count(b"\r") == text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


async def test_the_leader_pastes_what_was_copied_here() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await pilot.press(LEADER, "p")
        assert "nothing was copied" in app.terminal.status
        app.copy_to_clipboard("from the\x1b[31m clipboard")
        await pilot.press(LEADER, "p")
        await pilot.pause()
        assert app.inputs == b"from the[31m clipboard"
        app.copy_to_clipboard("a\nb\nc")
        await pilot.press(LEADER, "p")
        await pilot.pause()
        assert [m.lines for m in app.heard(TerminalView.PasteAsked)] == [3]


async def test_read_only_nothing_is_pasted() -> None:
    app = TerminalApp(read_only=True)
    async with app.run_test() as pilot:
        app.terminal.post_message(events.Paste("text\n" * 5))
        await pilot.pause()
        assert "read only" in app.terminal.status
        assert app.inputs == b""
        assert app.heard(TerminalView.PasteAsked) == []


async def test_the_guest_asks_for_the_clipboard_and_only_the_newest_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reports, "CLIPBOARD_SECONDS", 0.2)
    app = TerminalApp()
    async with app.run_test() as pilot:
        await app.terminal.write(b"\x1b]52;c;b25l\x07\x1b]52;c;dHdv\x07")

        def texts() -> list[str]:
            return [m.text for m in app.heard(TerminalView.ClipboardAsked)]

        await until(pilot, lambda: texts() == ["two"])
        for _ in range(50):
            await app.terminal.write(b"\x1b]52;c;b25l\x07")
        await app.terminal.write(b"\x1b]52;c;bGFzdA==\x07")
        await until(pilot, lambda: texts()[-1] == "last")
        assert len(texts()) <= 4
        assert app.clipboard == ""
        await app.terminal.write(b"\x1b]52;c;?\x07")
        await pilot.pause(0.1)
        assert app.inputs == b""


async def test_the_bell_flashes_and_ends() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        view = app.terminal
        await view.write(b"\x07" * 1000)
        await until(pilot, lambda: view.has_class("-bell"))
        await until(pilot, lambda: not view.has_class("-bell"))
        assert len(app.heard(TerminalView.Bell)) <= 2


def first_cell(view: TerminalView) -> tuple[str, bool, bool]:
    """Text, reverse and underline of the first painted part of the first line."""
    segment = next(iter(view.render_line(0)))
    assert segment.style is not None
    return segment.text, bool(segment.style.reverse), bool(segment.style.underline)


@pytest.mark.parametrize("text", ["x", " "])
async def test_cursor_shapes_can_be_told_apart(text: str) -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        view = app.terminal
        await view.write(text.encode() + b"\x1b[1;1H")
        looks = []
        for shape, code in [
            (CursorShape.BLOCK, 2),
            (CursorShape.UNDERLINE, 4),
            (CursorShape.BAR, 6),
        ]:
            await view.write(b"\x1b[%d q" % code)
            assert view.terminal is not None
            assert view.terminal.cursor_shape is shape
            await pilot.pause(0.1)
            looks.append(first_cell(view))
        assert len(set(looks)) == 3


class Tabs(App[None]):
    """A terminal behind another tab."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def compose(self) -> ComposeResult:
        with ContentSwitcher(initial="front"):
            yield Vertical(Input(), id="front")
            yield TerminalView(id="back")

    def on_terminal_view_unseen(self) -> None:
        self.said.append("unseen")

    def on_terminal_view_bell(self) -> None:
        self.said.append("bell")

    def on_terminal_view_title_changed(self) -> None:
        self.said.append("title")


async def test_hidden_output_is_told_once_with_bell_and_title(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Tabs()
    async with app.run_test() as pilot:
        view = app.query_one(TerminalView)
        paints: list[int] = []
        paint = view.paint

        def counted(terminal: VtCore) -> None:
            paints.append(1)
            paint(terminal)

        monkeypatch.setattr(view, "paint", counted)
        for _ in range(5):
            await view.write(b"hidden\r\n")
        await view.write(b"\x07\x1b]0;title\x07")
        await until(pilot, lambda: "title" in app.said)
        assert sorted(app.said) == ["bell", "title", "unseen"]
        assert view.title == "title"
        assert paints == []
        app.query_one(ContentSwitcher).current = "back"
        await until(pilot, lambda: "hidden" in screen_text(app))
        app.query_one(ContentSwitcher).current = "front"
        await pilot.pause(0.1)
        app.said.clear()
        paints.clear()
        await view.write(b"more\r\n")
        await view.write(b"more\r\n")
        await until(pilot, lambda: app.said == ["unseen"])
        assert paints == []


async def test_a_moved_and_resized_terminal_loses_nothing() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(b"\r\n".join(b"line %d" % n for n in range(200)))
        await pilot.press("shift+pageup", "shift+pageup")
        seen = view.text().split("\n")
        app.query_one("#status").display = False
        app.query_one("#other").display = False
        await until(pilot, lambda: view.grid == (80, 24))
        assert not view.at_bottom
        assert set(seen) <= set(view.text().split("\n"))
        app.query_one("#status").display = True
        app.query_one("#other").display = True
        await until(pilot, lambda: view.grid == (80, 20))
        assert not view.at_bottom
        view.scroll_to_bottom()
        assert view.text().split("\n")[-1] == "line 199"
