"""The operations that this screen has begun: which to tell of, which to follow, what failed. Pure.

Others' operations (another app's, the command line's) are shown, but nobody is told of their end.
"""

from __future__ import annotations

from banger_tui.engine.model import OperationState, OperationView
from banger_tui.widgets.rows import CREATES


class OwnOperations:
    """``following``: the create whose machine the cursor stays on, until the person moves it."""

    def __init__(self) -> None:
        self.failed: list[OperationView] = []
        self.following: str | None = None
        self._begun: set[str] = set()
        self._came_from: str | None = None

    def begun(self, operation: OperationView, cursor: str | None) -> None:
        """One more; ``cursor`` is the machine that the list's cursor is on."""
        self._begun.add(operation.id)
        self.failed.clear()
        if operation.kind == CREATES:
            if self.following is None:
                # Otherwise the cursor is on a machine just being made: it is no place to go back.
                self._came_from = cursor
            self.following = operation.id

    def ended(self, operation: OperationView) -> bool:
        """Whether it is one of these, the first time that it is seen to be over."""
        mine = operation.id in self._begun
        self._begun.discard(operation.id)
        if mine and operation.state is OperationState.FAILED:
            self.failed.append(operation)
        return mine

    def followed(self, operation: OperationView) -> bool:
        """Whether the cursor was on its machine; from now on it no longer has to be."""
        if self.following != operation.id:
            return False
        self.following = None
        return True

    def way_back(self) -> str | None:
        """The machine that the cursor was on before the last create."""
        came_from, self._came_from = self._came_from, None
        return came_from

    def person_moved(self) -> None:
        """The person has turned to another machine: the cursor is theirs."""
        self.following = None
