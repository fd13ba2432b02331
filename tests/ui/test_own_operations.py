"""Which operations a screen tells of, and where its cursor goes back to."""

from __future__ import annotations

from banger_tui.engine.model import OperationState, OperationView
from banger_tui.screens.own_operations import OwnOperations


def _view(name: str, state: OperationState, kind: str = "create") -> OperationView:
    return OperationView(name, kind, "", state, (), 0.0)


def test_only_own_ends_are_told_and_once() -> None:
    own = OwnOperations()
    own.begun(_view("a", OperationState.RUNNING), "fox")
    failed = _view("a", OperationState.FAILED)
    assert own.ended(failed)
    assert not own.ended(failed)
    assert not own.ended(_view("other", OperationState.FAILED))
    assert own.failed == [failed]


def test_second_create_goes_back_to_before_the_first() -> None:
    own = OwnOperations()
    own.begun(_view("a", OperationState.RUNNING), "fox")
    own.begun(_view("b", OperationState.RUNNING), "op:a")
    assert not own.followed(_view("a", OperationState.DONE))
    assert own.followed(_view("b", OperationState.CANCELLED))
    assert own.way_back() == "fox"
    assert own.way_back() is None


def test_person_who_moved_is_left_alone() -> None:
    own = OwnOperations()
    own.begun(_view("a", OperationState.RUNNING), "fox")
    own.person_moved()
    assert not own.followed(_view("a", OperationState.FAILED))


def test_other_verbs_move_nothing() -> None:
    own = OwnOperations()
    own.begun(_view("a", OperationState.RUNNING, kind="stop"), "fox")
    assert own.following is None
