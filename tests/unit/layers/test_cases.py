"""The table of layer cases, through the merge and through the tar stream and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from banger_tui.engine.layers.emit import tar_stream
from tests.layer_cases.case import Case, ErrorExpectation
from tests.layer_cases.cases import CASES
from tests.layer_cases.snapshot import snapshot
from tests.unit.layers.merging import merged

REFUSED = [case for case in CASES if case.is_refused]
ACCEPTED = [case for case in CASES if not case.is_refused]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_layers_become_the_tree(case: Case, tmp_path: Path) -> None:
    root = merged(case.layers(), tmp_path, case.limits)
    assert snapshot(root) == case.expected


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_layers_are_refused_and_it_says_why(case: Case, tmp_path: Path) -> None:
    assert isinstance(case.expected, ErrorExpectation)
    with pytest.raises(case.expected.error) as caught:
        merged(case.layers(), tmp_path, case.limits)
    assert caught.type is case.expected.error
    assert case.expected.words in caught.value.detail
    assert caught.value.hint
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_the_tar_of_a_tree_is_the_same_tree(case: Case, tmp_path: Path) -> None:
    root = merged(case.layers(), tmp_path, case.limits)
    stream = b"".join(tar_stream(root))
    back = tmp_path / "back"
    back.mkdir()
    again = merged([stream], back)
    assert snapshot(again) == case.expected
    assert b"".join(tar_stream(again)) == stream


def test_the_table_is_large_and_its_names_are_unique() -> None:
    assert len(REFUSED) >= 60
    assert len(ACCEPTED) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
