"""What a person may ask for: names, sizes, limits, and a suggestion when it is wrong."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.errors import InvalidInput, InvalidName, InvalidSize, NotEnoughMemory
from banger_tui.engine.model import GIB, MIB, VmSpec
from banger_tui.engine.vms import spec

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@pytest.mark.parametrize("name", ["a", "web", "web-1", "0", "a" * 63, "x--y"])
def test_dns_labels_are_names(name: str) -> None:
    assert spec.validate_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Web", "web_1", "-a", "a-", "a.b", "a" * 64, "ä", "a\n", " a", "../a"]
)
def test_anything_else_is_no_name(name: str) -> None:
    with pytest.raises(InvalidName) as caught:
        spec.validate_name(name)
    assert caught.value.exit_code == 2
    assert caught.value.hint


@given(st.text())
def test_what_is_suggested_is_always_a_name(name: str) -> None:
    assert LABEL.fullmatch(spec.suggestion(name))
    spec.validate_name(spec.suggestion(name))


@given(st.integers())
def test_made_up_names_are_free_names(seed: int) -> None:
    dice = random.Random(seed)
    name = spec.made_up_name(set(), dice)
    spec.validate_name(name)
    other = spec.made_up_name({name}, random.Random(seed))
    assert other != name


def test_made_up_names_go_on_when_the_pairs_run_out() -> None:
    class Pairs:
        def __contains__(self, name: object) -> bool:
            return str(name).count("-") < 2

    assert spec.made_up_name(Pairs()).count("-") == 2


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512M", 512 * MIB), ("2G", 2 * GIB), ("8GiB", 8 * GIB), ("1.5g", GIB * 3 // 2),
        ("1024", 1024), (" 1 k ", 1024), ("1T", 1 << 40), ("64mb", 64 * MIB), ("16T", 16 << 40),
    ],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert spec.parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["12Q", "", "G", "-1G", "1..5G", "1,5G", "0", "0G", "17T", "1e3", "1 2G", "inf"]
)
def test_no_sizes(text: str) -> None:
    with pytest.raises(InvalidSize) as caught:
        spec.parse_size(text)
    assert caught.value.exit_code == 2


@given(st.text())
def test_no_text_makes_a_size_raise_anything_else(text: str) -> None:
    try:
        assert 0 < spec.parse_size(text) <= spec.MAX_DISK
    except InvalidSize:
        pass


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (VmSpec(name="No"), InvalidName),
        (VmSpec(image=" "), InvalidInput),
        (VmSpec(cpus=0), InvalidInput),
        (VmSpec(cpus=65), InvalidInput),
        (VmSpec(memory_mib=95), InvalidSize),
        (VmSpec(memory_mib=1 << 40), NotEnoughMemory),
        (VmSpec(disk_bytes=1), InvalidSize),
    ],
)
def test_specs_that_make_no_sense(asked: VmSpec, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        spec.validate(asked)
    assert getattr(caught.value, "hint", "")


def test_a_plain_spec_is_fine() -> None:
    assert spec.validate(VmSpec(name="web")) == VmSpec(name="web")
