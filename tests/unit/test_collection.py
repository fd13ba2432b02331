"""What images and kernels have in common: found, published and removed by name; pulled once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from banger_tui.engine import pulls
from banger_tui.engine.api import Engine
from banger_tui.engine.collection import Collection
from banger_tui.engine.errors import InUse, NameTaken, NotFound, NotInCatalog, ToolFailed
from banger_tui.engine.locks import Locks, held
from banger_tui.engine.model import StageState
from banger_tui.engine.operations import Operation, Run
from tests.engine_fixtures.engines import fake_engine
from tests.engine_fixtures.gates import PATIENCE, Gate

PLAN = ("look", "make", "publish")


@dataclass(frozen=True)
class Thing:
    name: str
    source: str = "a test"
    digest: str = ""
    created_at: float = 0.0


@dataclass
class Shelf:
    """Rows in memory, directories on disk."""

    root: Path
    locks: Locks
    rows: dict[str, Thing] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    locks_seen: list[tuple[str, ...]] = field(default_factory=list)
    unreadable: bool = False
    made: int = 0

    def collection(self) -> Collection[Thing]:
        return Collection(
            "thing", lambda name: self.root / name, self.locks.image_pull,
            self.locks.image_publish, self.find, self.insert, self.delete,
        )  # fmt: skip

    async def find(self, name: str) -> Thing | None:
        if self.unreadable:
            raise ToolFailed("The shelf can't be read")
        return self.rows.get(name)

    async def insert(self, thing: Thing) -> None:
        self.locks_seen.append(held())
        if thing.name in self.rows:
            raise NameTaken(thing.name)
        self.rows[thing.name] = thing

    async def delete(self, name: str) -> None:
        self.locks_seen.append(held())
        if name in self.used:
            raise InUse(name)
        if self.rows.pop(name, None) is None:
            raise NotFound(name)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with fake_engine(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def shelf(engine: Engine, tmp_path: Path) -> Shelf:
    (tmp_path / "shelf").mkdir()
    return Shelf(tmp_path / "shelf", engine._ctx.locks)


def staged(tmp_path: Path, name: str = "staged") -> Path:
    (tmp_path / name).mkdir()
    (tmp_path / name / "file").write_text("content")
    return tmp_path / name


# --------------------------------------------------------------------------- publish and remove


async def test_it_is_published_found_and_removed(shelf: Shelf, tmp_path: Path) -> None:
    things = shelf.collection()
    await things.publish(staged(tmp_path), Thing("one"))
    assert (shelf.root / "one/file").read_text() == "content"
    assert await things.get("one") == Thing("one")
    await things.remove("one")
    assert list(shelf.root.iterdir()) == []
    assert shelf.locks_seen == [("image_publish",), ("image_publish",)]
    with pytest.raises(NotFound, match="The thing 'one' is not here"):
        await things.get("one")


async def test_what_is_used_stays_whole(shelf: Shelf, tmp_path: Path) -> None:
    things = shelf.collection()
    await things.publish(staged(tmp_path), Thing("one"))
    shelf.used.add("one")
    with pytest.raises(InUse):
        await things.remove("one")
    assert (shelf.root / "one/file").exists()
    with pytest.raises(NotFound):
        await things.remove("two")


async def test_a_thing_without_a_directory_is_removed(shelf: Shelf) -> None:
    shelf.rows["one"] = Thing("one")
    await shelf.collection().remove("one")
    assert shelf.rows == {}


async def test_a_cancelled_removal_is_whole_or_none(shelf: Shelf, tmp_path: Path) -> None:
    things = shelf.collection()
    for turns in range(12):
        await things.publish(staged(tmp_path, f"staged-{turns}"), Thing("one"))
        task = asyncio.create_task(things.remove("one"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        there = [path.name for path in shelf.root.iterdir()]
        assert there == list(shelf.rows), f"cancelled after {turns} turns of the loop"
        if shelf.rows:
            await things.remove("one")


# --------------------------------------------------------------------------------------- pulls


def work(shelf: Shelf, *, share: bool = False, gate: Gate | None = None) -> pulls.Work[Thing]:
    async def make(run: Run) -> Thing:
        async with run.stage("make"):
            shelf.made += 1
            if gate is not None:
                await gate()
        async with run.stage("publish"):
            await shelf.insert(Thing("one"))
        return Thing("one")

    return pulls.pull(shelf.collection(), "one", make, plan=PLAN, share=share, note="about it")


async def begun(engine: Engine, wanted: pulls.Work[Thing]) -> Operation[Thing]:
    return await engine.operations.begin("pull thing", "one", wanted, plan=PLAN)


async def test_a_pull_makes_it(engine: Engine, shelf: Shelf) -> None:
    operation = await begun(engine, work(shelf))
    assert await operation.result() == Thing("one")
    assert [stage.state for stage in operation.view.stages] == [StageState.DONE] * 3
    assert operation.view.stages[0].detail == "about it"


async def test_a_pull_of_what_is_here_says_so_before_it_begins(
    engine: Engine, shelf: Shelf
) -> None:
    shelf.rows["one"] = Thing("one")
    with pytest.raises(NameTaken, match="The thing one is already here: It was made from a test"):
        await (await begun(engine, work(shelf))).result()
    assert shelf.made == 0


async def test_a_shared_pull_takes_what_another_made(engine: Engine, shelf: Shelf) -> None:
    """As two processes: they meet at the lock alone."""
    gate = Gate()
    first = await begun(engine, work(shelf, share=True, gate=gate))
    await gate.reached()
    second = await begun(engine, work(shelf, share=True))
    async with asyncio.timeout(PATIENCE):
        async for view in second.events():
            if view.stages[0].detail == "waiting for another pull of it":
                break
    gate.open()
    assert await first.result() == await second.result() == Thing("one")
    assert shelf.made == 1
    states = {stage.name: stage.state for stage in second.view.stages}
    assert states == {
        "look": StageState.DONE, "make": StageState.SKIPPED, "publish": StageState.SKIPPED
    }  # fmt: skip


async def ensured(engine: Engine, shelf: Shelf, found: pulls.Work[Thing] | None) -> Thing:
    async def find() -> pulls.Work[Thing]:
        if found is None:
            raise NotInCatalog("No thing one")
        return found

    async def needs(run: Run) -> Thing:
        return await pulls.ensure(engine._ctx, run, shelf.collection(), "one", find, PLAN)

    return await (await engine.operations.begin("need", "one", needs)).result()


async def test_ensure_looks_here_first(engine: Engine, shelf: Shelf) -> None:
    shelf.rows["one"] = Thing("one", "here")
    assert await ensured(engine, shelf, None) == Thing("one", "here")
    (view,) = await engine.operations.list()
    assert [(stage.name, stage.state) for stage in view.stages] == [
        ("resolve thing", StageState.DONE), ("pull thing", StageState.SKIPPED),
    ]  # fmt: skip


async def test_twenty_that_need_it_share_one_pull(engine: Engine, shelf: Shelf) -> None:
    gate = Gate()
    needs = [
        asyncio.create_task(ensured(engine, shelf, work(shelf, share=True, gate=gate)))
        for _ in range(20)
    ]
    await gate.reached()
    gate.open()
    assert set(await asyncio.gather(*needs)) == {Thing("one")}
    assert shelf.made == 1
    kinds = [view.kind for view in await engine.operations.list()]
    assert kinds.count("pull thing") == 1


async def test_ensure_tells_a_miss_from_a_failure_to_look(engine: Engine, shelf: Shelf) -> None:
    with pytest.raises(NotInCatalog):
        await ensured(engine, shelf, None)
    shelf.unreadable = True
    with pytest.raises(ToolFailed, match="can't be read"):
        await ensured(engine, shelf, None)
