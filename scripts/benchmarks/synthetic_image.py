"""A container image like those people pull, the same bytes on every machine.

Five layers, about 450 MB in 25,000 files: libraries that compress by half, texts that compress
well, and what does not compress; later layers replace and remove some of what earlier ones brought.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

FILES = 25_000
BYTES = 450 << 20
_LAYERS = (0.45, 0.25, 0.15, 0.10, 0.05)  # shares of the files
_WORDS = 4096


def make(directory: Path) -> Path:
    """An OCI layout (image-spec, image-layout.md) with the image under the tag "bench"; made once.

    About a minute. Returns the layout's directory.
    """
    layout = directory / "layout"
    if (layout / "index.json").exists():
        return layout
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    randomness = random.Random(20)  # the same image every time is the point
    words = [randomness.randbytes(randomness.randint(2, 24)) for _ in range(_WORDS)]
    layers, diff_ids = [], []
    paths: list[str] = []
    for number, share in enumerate(_LAYERS):
        tar = _tar(_entries(randomness, words, number, int(FILES * share), paths))
        diff_ids.append(f"sha256:{hashlib.sha256(tar).hexdigest()}")
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        layers.append(_blob(blobs, gzip.compress(tar, 6, mtime=0), kind))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin:/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    config_blob = _blob(
        blobs, json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"
    )
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": config_blob,
        "layers": layers,
    }
    entry = _blob(blobs, json.dumps(manifest).encode(), kind)
    entry["annotations"] = {"org.opencontainers.image.ref.name": "bench"}
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return layout


def _entries(
    randomness: random.Random, words: list[bytes], layer: int, count: int, paths: list[str]
) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    made: set[str] = set()
    average = BYTES // FILES
    for number in range(count):
        folder = f"usr/lib/part-{layer}/{number // 100:03}"
        for depth in range(2, folder.count("/") + 2):
            above = "/".join(folder.split("/")[:depth])
            if above not in made:
                made.add(above)
                info = tarfile.TarInfo(above)
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                yield info, b""
        if layer and number % 20 == 0:  # replaces what a lower layer brought
            name = randomness.choice(paths)
        elif layer and number % 50 == 1:  # removes it
            victim = randomness.choice(paths)
            folder, _, base = victim.rpartition("/")
            yield tarfile.TarInfo(f"{folder}/.wh.{base}"), b""
            continue
        else:
            name = f"{folder}/file-{number:05}.so"
        if name in made:
            continue
        made.add(name)
        paths.append(name)
        info = tarfile.TarInfo(name)
        info.mode = 0o755 if number % 7 == 0 else 0o644
        info.mtime = 1_700_000_000 + number
        yield info, _content(randomness, words, int(randomness.expovariate(1 / average)))
        if number % 60 == 3:
            link = tarfile.TarInfo(f"{folder}/link-{number:05}")
            link.type, link.linkname = tarfile.SYMTYPE, name.rpartition("/")[2]
            yield link, b""


def _content(randomness: random.Random, words: list[bytes], size: int) -> bytes:
    if randomness.random() < 0.2:
        return randomness.randbytes(size)
    parts: list[bytes] = []
    length = 0
    while length < size:
        parts.append(words[int(randomness.betavariate(1, 6) * _WORDS)])
        length += len(parts[-1])
    return b"".join(parts)[:size]


def _tar(entries: Iterator[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _blob(blobs: Path, data: bytes, media_type: str) -> dict[str, object]:
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}
