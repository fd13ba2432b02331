"""The line of tabs in the panel's border."""

from __future__ import annotations

from banger_tui.widgets.tabs import CONSOLE, OVERVIEW, Pane, Shown, line, session


def shown(count: int, here: int = 0, news: int = -1) -> list[Shown]:
    tabs = [OVERVIEW, CONSOLE, *(session(f"shell-{n}") for n in range(2, count))]
    return [
        Shown(
            Pane("id", tab), news="output" if n == news else "", looks="here" if n == here else ""
        )
        for n, tab in enumerate(tabs)
    ]


def test_all_tabs_stand_in_a_line_that_is_wide_enough() -> None:
    text = line("fox", shown(4, here=3), 80).plain
    assert text.split() == ["fox", "Overview", "Console", "shell-2", "shell-3"]


def test_what_does_not_fit_is_counted() -> None:
    text = line("fox", shown(8), 50).plain
    assert text.startswith("fox")
    assert "›" in text
    missing = int(text.rpartition("›")[2])
    assert 8 - missing == text.count("shell-") + 2


def test_the_tab_that_is_shown_is_always_in_sight() -> None:
    for here in range(12):
        for width in (30, 44, 60, 120):
            content = line("quiet-fox", shown(12, here=here), width)
            assert shown(12)[here].pane.tab.label in content.plain
            assert content.cell_length <= max(width, 34)


def test_news_is_marked_and_told_of_tabs_that_do_not_fit() -> None:
    assert "shell-3•" in line("fox", shown(4, here=0, news=3), 80).plain
    cut = line("fox", shown(9, here=0, news=8), 44)
    assert any("bold" in str(span.style) and "›" in cut.plain[span.start : span.end]
               for span in cut.spans)  # fmt: skip


def test_a_click_on_a_tab_says_its_place() -> None:
    content = line("fox", shown(3), 80)
    actions = [span.style.meta.get("@click") for span in content.spans
               if not isinstance(span.style, str) and span.style.meta]  # fmt: skip
    assert actions == ["choose_pane(0)", "choose_pane(1)", "choose_pane(2)"]


def test_names_that_guests_chose_do_nothing_to_the_border() -> None:
    hostile = Shown(Pane("id", session("a\x1b[2Jb\nc")), name="v\u202em")
    text = line("fox", [hostile], 80).plain
    assert "\x1b" not in text
    assert "\n" not in text
    assert "\u202e" not in text


def test_the_guests_title_stands_behind_the_tabs_where_there_is_room() -> None:
    assert line("fox", shown(3), 60, "vim notes").plain.endswith(" · vim notes")
    assert "vim" not in line("fox", shown(3), 36, "vim notes").plain
    long = line("fox", shown(3), 60, "x" * 300)
    assert long.cell_length <= 60
    assert "\x1b" not in line("fox", shown(3), 60, "a\x1b]0;b\x07").plain
