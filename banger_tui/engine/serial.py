"""Records as JSON and as rows: one way in and one way out, for the store and for ``--json``."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from typing import Any

from banger_tui.engine.model import Failure, OperationState, OperationView, StageState, StageView


def to_json(value: Any) -> Any:
    """A record as plain JSON values (dataclasses to objects, enums to their words)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


def stage_from_json(data: dict[str, Any]) -> StageView:
    children = tuple(stage_from_json(child) for child in data.get("children", ()))
    fields = {**data, "state": StageState(data["state"]), "children": children}
    return StageView(**fields)


def operation_to_row(operation: OperationView) -> dict[str, Any]:
    row: dict[str, Any] = to_json(operation)
    row["stages"] = json.dumps(row["stages"], separators=(",", ":"))
    row["failure"] = json.dumps(row["failure"]) if operation.failure else None
    row["cancel_requested"] = int(operation.cancel_requested)
    return row


def operation_from_row(row: dict[str, Any]) -> OperationView:
    values = dict(row)
    values["state"] = OperationState(values["state"])
    values["stages"] = tuple(stage_from_json(stage) for stage in json.loads(values["stages"]))
    values["failure"] = Failure(**json.loads(values["failure"])) if values["failure"] else None
    values["cancel_requested"] = bool(values["cancel_requested"])
    return OperationView(**values)
