"""A plain web server with files."""

from __future__ import annotations

import hashlib
import re

from tests.host.registry.http import Connection, HttpServer, Request


class FileServer(HttpServer):
    """Serves ``files`` ("/name": content) with ranges and entity tags."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        super().__init__()
        self.files = files or {}

    async def answer(self, request: Request, connection: Connection) -> bool:
        content = self.files.get(request.target)
        if content is None:
            await connection.reply(404)
            return True
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"ETag": etag, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if asked is None or request.headers.get("if-range", etag) != etag:
            await connection.reply(200, headers, content)
        elif int(asked[1]) >= len(content):
            await connection.reply(416, {"Content-Range": f"bytes */{len(content)}"})
        else:
            start = int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            await connection.reply(206, headers, content[start:])
        return True
