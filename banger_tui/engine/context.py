"""What every verb of the engine works with, made once by ``Engine``."""

from __future__ import annotations

from dataclasses import dataclass

from banger_tui.engine.artefacts import Artefacts
from banger_tui.engine.catalog.catalogs import Catalogs
from banger_tui.engine.events import Bus
from banger_tui.engine.flights import Flights
from banger_tui.engine.hypervisors.base import Driver
from banger_tui.engine.locks import Locks
from banger_tui.engine.operations import OperationRegistry
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from banger_tui.engine.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    paths: Paths
    settings: Settings
    store: Store
    bus: Bus
    locks: Locks
    operations: OperationRegistry
    flights: Flights
    driver: Driver
    artefacts: Artefacts
    catalogs: Catalogs
