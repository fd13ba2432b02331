"""All cases. Names are unique: tests take them as their ids."""

from __future__ import annotations

from tests.layer_cases.broken_cases import BROKEN_CASES
from tests.layer_cases.case import Case
from tests.layer_cases.format_cases import FORMAT_CASES
from tests.layer_cases.hostile_cases import HOSTILE_LINK_CASES, HOSTILE_NAME_CASES
from tests.layer_cases.limit_cases import LIMIT_CASES
from tests.layer_cases.link_cases import LINK_CASES
from tests.layer_cases.metadata_cases import METADATA_CASES
from tests.layer_cases.parent_cases import PARENT_CASES
from tests.layer_cases.plain_cases import PLAIN_CASES
from tests.layer_cases.sparse_cases import BROKEN_SPARSE_CASES, SPARSE_CASES
from tests.layer_cases.whiteout_cases import WHITEOUT_CASES

CASES: list[Case] = [
    *PLAIN_CASES,
    *METADATA_CASES,
    *FORMAT_CASES,
    *SPARSE_CASES,
    *WHITEOUT_CASES,
    *LINK_CASES,
    *PARENT_CASES,
    *BROKEN_CASES,
    *BROKEN_SPARSE_CASES,
    *HOSTILE_NAME_CASES,
    *HOSTILE_LINK_CASES,
    *LIMIT_CASES,
]

assert len({case.name for case in CASES}) == len(CASES)
