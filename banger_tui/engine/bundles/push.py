"""Pushes a bundle to a registry as an OCI artifact."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from banger_tui.engine.bundles.artifact import CONFIG_TYPE, LAYER_TYPE, manifest_of
from banger_tui.engine.bundles.manifest import Manifest
from banger_tui.engine.bundles.work import Work
from banger_tui.engine.errors import DigestMismatch, InvalidInput, RegistryUnreachable
from banger_tui.engine.model import Exported, Pushed
from banger_tui.engine.oci.credential_files import Credential
from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.digests import digest_of, is_digest
from banger_tui.engine.oci.hosts import is_loopback
from banger_tui.engine.oci.manifest import Descriptor
from banger_tui.engine.oci.reference import Reference
from banger_tui.engine.oci.retries import Patience, pause_before
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish

T = TypeVar("T")

_LOOK_EVERY = 0.5  # seconds between two looks at a thread that should be getting on
_LAST_WORD = 0.2  # seconds for a thread that was told to end


async def push(
    bundle: Exported,
    manifest: Manifest,
    reference: Reference,
    *,
    credentials: Credentials,
    stage: Stage,
    insecure: bool = False,
    patience: Patience | None = None,
) -> Pushed:
    """Push the bundle; what the repository has already is not sent again. Progress in bytes.

    https always; on loopback http first; with ``insecure`` no certificate is looked at, and http
    will do.

    Args:
        manifest: the bundle's own; it is the artifact's config.
        reference: with a tag.

    Raises:
        InvalidInput: the reference has a digest.
        RegistryFailure
        DigestMismatch: the registry has something else than was sent.
    """
    if reference.digest:
        raise InvalidInput(
            f"{reference.familiar} has a digest already",
            "That comes from what is pushed.",
            f"Push to a tag: {reference.familiar_name}:{reference.tag or 'latest'}",
        )
    patience = patience or Patience()
    credential = await credentials.get(reference.registry, reference.repository)
    remark = credentials.remark(reference.registry)
    loop = asyncio.get_running_loop()
    work = Work(
        lambda done: loop.call_soon_threadsafe(stage.progress, done, bundle.size_bytes, "bytes")
    )

    def do() -> Pushed:
        return _push(bundle, manifest, reference, credential, remark, insecure, patience, work)

    pushed = await _watched(do, work, patience.connect + 5 * patience.stall, reference.registry)
    stage.progress(bundle.size_bytes, bundle.size_bytes, "bytes")
    return pushed


def _push(
    bundle: Exported,
    manifest: Manifest,
    reference: Reference,
    credential: Credential | None,
    remark: str,
    insecure: bool,
    patience: Patience,
    work: Work,
) -> Pushed:
    from banger_tui.engine.bundles.oras_client import Client, Unanswered

    def client(scheme: str) -> Client:
        return Client(
            reference, scheme, credential,
            work=work, patience=patience, insecure=insecure, remark=remark,
        )  # fmt: skip

    def speaking() -> Client:
        schemes = _schemes(reference.host, insecure)
        if len(schemes) == 1:
            return client(schemes[0])
        last = Unanswered("it speaks neither http nor https")
        for again in range(patience.few):
            if again:
                work.pause(pause_before(again, None, patience))
            for scheme in schemes:
                try:
                    if (found := client(scheme)).speaks():
                        return found
                except Unanswered as error:
                    last = error
        raise last

    data = manifest.encode()
    config = Descriptor(CONFIG_TYPE, digest_of(data), len(data))
    layer = Descriptor(LAYER_TYPE, bundle.digest, bundle.size_bytes)
    title = f"{reference.repository.rpartition('/')[2]}.tar.zst"
    document = manifest_of(layer, config, title)
    digest = digest_of(document)
    try:
        registry = speaking()
        registry.push_blob(data, config)
        registry.push_blob(Path(bundle.path), layer)
        work.at(bundle.size_bytes)
        said = registry.push_manifest(document)
    except Unanswered as error:
        raise RegistryUnreachable(
            f"Can't push {reference.familiar} to {reference.registry}",
            f"{error.reason[0].upper()}{error.reason[1:]}.",
            "Check the network and the name, then try again.",
        ) from error
    if is_digest(said) and said.startswith("sha256:") and said != digest:
        raise DigestMismatch(
            f"{reference.registry} has something else than was sent",
            f"It has {said}, not {digest}.",
        )
    return Pushed(str(reference.pinned(digest)), digest, bundle.size_bytes)


def _schemes(host: str, insecure: bool) -> tuple[str, ...]:
    if insecure:
        return ("https", "http")
    return ("http", "https") if is_loopback(host) else ("https",)


async def _watched(do: Callable[[], T], work: Work, most_silence: float, host: str) -> T:
    """Run ``do`` in a thread of its own, for as long as ``work`` hears of it.

    A thread that hangs in a system call can't be ended. This one is left to itself then: it holds
    nothing but a connection and ends with the call, or with the process.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def thread() -> None:
        value: T | None = None
        problem: BaseException | None = None
        try:
            value = do()
        except BaseException as error:  # noqa: BLE001  # it is raised where the result is awaited
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, problem)

    threading.Thread(target=thread, name="push", daemon=True).start()
    try:
        while not result.done():
            await asyncio.wait([result], timeout=_LOOK_EVERY)
            if not result.done() and time.monotonic() - work.touched > most_silence:
                raise RegistryUnreachable(
                    f"{host} does not get on",
                    f"Nothing has happened for {most_silence:.0f} s.",
                    "Check the network, then try again.",
                )
        return result.result()
    finally:
        work.stop()
        if not result.done():
            await finish(asyncio.wait([result], timeout=_LAST_WORD))
            if result.done():
                result.exception()  # looked at: it only ended as it was told to
            else:
                result.cancel()
