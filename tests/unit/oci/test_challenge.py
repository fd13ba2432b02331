"""WWW-Authenticate, Retry-After, pauses: what servers say about what to do next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.errors import RegistryUnreachable
from banger_tui.engine.oci.challenge import Challenge, parse
from banger_tui.engine.oci.retries import (
    PROGRESS,
    Attempts,
    Fault,
    Patience,
    pause_before,
    retry_after,
)

EPOCH = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (
            ['Bearer realm="https://a/t",service="s t",scope="x:a:pull,push"'],
            [("bearer", {"realm": "https://a/t", "service": "s t", "scope": "x:a:pull,push"})],
        ),
        (["Basic realm=x"], [("basic", {"realm": "x"})]),
        (['BEARER Realm = "a" , scope=b'], [("bearer", {"realm": "a", "scope": "b"})]),
        (
            ['Basic realm="a, b=c", Bearer realm="d"'],
            [("basic", {"realm": "a, b=c"}), ("bearer", {"realm": "d"})],
        ),
        (['Bearer realm="a\\"b\\\\c"'], [("bearer", {"realm": 'a"b\\c'})]),
        (["Negotiate, Basic realm=x"], [("negotiate", {}), ("basic", {"realm": "x"})]),
        (
            ["Basic realm=x", "Bearer realm=y"],
            [("basic", {"realm": "x"}), ("bearer", {"realm": "y"})],
        ),
        (["Bearer realm=a,realm=b"], [("bearer", {"realm": "a"})]),
        ([], []),
        ([""], []),
        (["=,="], []),
    ],
)  # fmt: skip
def test_challenges(headers: list[str], found: list[tuple[str, dict[str, str]]]) -> None:
    assert parse(headers) == [Challenge(*one) for one in found]


@given(st.text(max_size=200) | st.text('Bearer=",\\ \t', max_size=2000))
def test_any_header_is_read(text: str) -> None:
    for challenge in parse([text, text]):
        assert challenge.scheme == challenge.scheme.lower()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0), ("7", 7.0), (" 120 ", 120.0), ("9" * 50, 999_999_999.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0), ("Tue, 14 Nov 2023 22:13:00 GMT", 0.0),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0), ("", None), ("-1", None), ("soon", None),
        ("1.5", None), ("٣", None), ("Tue, 99 Nov 2023 22:13:50 GMT", None),
    ],
)  # fmt: skip
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(value, EPOCH) == seconds


@given(st.text(max_size=60))
def test_any_retry_after_is_read(text: str) -> None:
    found = retry_after(text, EPOCH)
    assert found is None or found >= 0


@given(st.integers(1, 10_000))
def test_pauses_grow_to_a_limit(again: int) -> None:
    patience = Patience(pause=0.5, longest_pause=15)
    longest = min(0.5 * 2 ** min(again - 1, 10), 15)

    assert longest / 2 <= pause_before(again, None, patience) <= longest


def test_what_a_server_asks_for_is_kept_within_limits() -> None:
    patience = Patience(longest_wait=60)

    assert pause_before(1, 7, patience) == 7
    assert pause_before(1, 86400, patience) == 60
    assert pause_before(1, -5, patience) == 0


QUICK = Patience(tries=4, few=2, pause=0.0, total_wait=10.0, longest_wait=60.0)


async def failures(attempts: Attempts, fault: Fault, received: int = 0) -> int:
    """How many tries there were before it was given up."""
    for number in range(1, 100):
        try:
            await attempts.failed(fault, received=received)
        except RegistryUnreachable:
            return number
    return 100


async def test_tries_are_counted() -> None:
    assert await failures(Attempts(QUICK, "a", "b"), Fault("reset")) == 4
    assert await failures(Attempts(QUICK, "a", "b"), Fault("refused", few=True)) == 2


async def test_progress_begins_the_count_anew() -> None:
    assert await failures(Attempts(QUICK, "a", "b"), Fault("reset"), PROGRESS) == 100
    assert await failures(Attempts(QUICK, "a", "b"), Fault("reset"), PROGRESS - 1) == 4


async def test_all_pauses_together_are_limited() -> None:
    attempts = Attempts(QUICK, "alpine", "ghcr.io")

    with pytest.raises(RegistryUnreachable) as caught:
        await attempts.failed(Fault("busy", wait=3600, hint="Log in."))

    assert caught.value.title == "Can't get alpine from ghcr.io"
    assert caught.value.detail == "It failed once, at last: busy."
    assert caught.value.hint == "Log in."
