"""Pulls that are begun again at the next start."""

from __future__ import annotations

from pathlib import Path

from banger_tui.engine.images.request import PullSpec
from banger_tui.engine.images.resume import claim, remember


def take(place: Path) -> list[PullSpec]:
    """Begin them all."""
    claimed = claim(place)
    for one in claimed:
        one.forget()
        one.release()
    return [one.spec for one in claimed]


SPEC = PullSpec("alpine:3.20", "mine", "linux/arm64", 1 << 30, insecure=True, plain=True)


def test_each_is_taken_once(tmp_path: Path) -> None:
    place = tmp_path / "resume"
    remember(place, SPEC)
    remember(place, PullSpec("busybox"))
    assert sorted(spec.reference for spec in take(place)) == ["alpine:3.20", "busybox"]
    assert take(place) == []
    assert list(place.iterdir()) == []


def test_every_field_comes_back(tmp_path: Path) -> None:
    remember(tmp_path, SPEC)
    assert take(tmp_path) == [SPEC]


def test_what_cant_be_read_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"reference": "x", "unknown": 1}')
    (tmp_path / "c.json").write_text("[]")
    remember(tmp_path, SPEC)
    assert take(tmp_path) == [SPEC]
    assert list(tmp_path.iterdir()) == []


def test_nothing_was_ever_written(tmp_path: Path) -> None:
    assert take(tmp_path / "none") == []


def test_what_was_not_begun_is_there_again(tmp_path: Path) -> None:
    remember(tmp_path, SPEC)
    (held,) = claim(tmp_path)
    assert claim(tmp_path) == [], "another start got it, too"
    held.release()
    assert take(tmp_path) == [SPEC]
