"""One pull for all who need a thing, however many ask and in however many processes.

Within a process those who need the same thing share one operation (``flights``); between processes
the first holds the pull's file lock, and the others then find the thing there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from banger_tui.engine.collection import Collection, R
from banger_tui.engine.context import Context
from banger_tui.engine.errors import NameTaken
from banger_tui.engine.operations import Operation, Run
from banger_tui.engine.progress import Stage

Work = Callable[[Run], Awaitable[R]]


async def ensure(
    ctx: Context,
    run: Run,
    things: Collection[R],
    name: str,
    find: Callable[[], Awaitable[Work[R]]],
    plan: Sequence[str],
) -> R:
    """The local thing of this name, pulled first if need be; stages "resolve KIND", "pull KIND".

    Args:
        find: looks ``name`` up elsewhere; returns the work that pulls it (``pull`` with ``share``).
        plan: that work's stages.

    Raises:
        NotInCatalog: neither here nor elsewhere. A failure to *read* either is raised as what it
            is.
    """
    async with run.stage(f"resolve {things.kind}") as stage:
        stage.note(name)
        if here := await things.find(name):
            run.skip(f"pull {things.kind}", "already here")
            return here
        work = await find()

    async def begin() -> Operation[R]:
        return await ctx.operations.begin(f"pull {things.kind}", name, work, plan=plan)

    async with run.stage(f"pull {things.kind}") as stage:
        return await ctx.flights.join((things.kind, name), begin, stage)


def pull(
    things: Collection[R],
    name: str,
    make: Work[R],
    *,
    plan: Sequence[str],
    share: bool = False,
    note: str = "",
) -> Work[R]:
    """The work of "pull KIND": ``make`` it, unless it is here.

    Args:
        make: makes and publishes it, in the stages after the first.
        plan: its stages; the look at what is here is the first one.
        share: wait for another process that pulls the same name and take what it made (a create
            needs the thing, whoever makes it). Otherwise two pulls of one name both make it and
            exactly one publishes.
        note: what is pulled, for people.

    The work raises NameTaken when the name is there already (never with ``share``).
    """

    async def work(run: Run) -> R:
        async with contextlib.AsyncExitStack() as stack:
            async with run.stage(plan[0]) as stage:
                if share:
                    stage.note("waiting for another pull of it")
                    lock = things.pull_lock(name)
                    await stack.enter_async_context(lock.hold(f"pull {name}"))
                stage.note(note)
                if here := await things.find(name):
                    if not share:
                        raise things.taken(here)
                    for later in plan[1:]:
                        run.skip(later, "another process made it")
                    return here
            return await make(run)

    return work


async def publish(
    things: Collection[R], staged: Path, record: R, stage: Stage, *, share: bool = False
) -> R:
    """Put what was made in its place; it is taken back if the operation does not succeed.

    Args:
        share: take what somebody else has put there meanwhile: who imports, promotes or pulls
            under a name of their own holds no pull's lock.

    Raises:
        NameTaken
    """
    # Left before: what is published must not stay because a cancel came a moment later.
    stage.undo(lambda: things.discard(record))
    try:
        await things.publish(staged, record)
    except NameTaken:
        here = await things.find(record.name) if share else None
        if here is None:
            raise
        stage.note("it came another way meanwhile")
        return here
    return record
