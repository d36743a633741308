"""A server of NDIF's on loopback: it takes requests, lets them wait, has them done by a bare process, or fails as it is told."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BARE = Path(__file__).with_name("bare.py")


class Bare:
    """A process that does requests of one model, and has nothing of ours."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.process = subprocess.Popen(
            [python, "-P", str(BARE), str(folder)] if sys.version_info >= (3, 11) else [python, str(BARE), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
        )
        assert self._line() == "ready"

    def do(self, request: Path) -> bytes:
        """What a request saved. Raises RuntimeError, with a traceback, where it failed."""
        assert self.process.stdin is not None
        print(request, file=self.process.stdin, flush=True)
        said = self._line()
        if said.startswith("failed "):
            raise RuntimeError(ast.literal_eval(said.removeprefix("failed ")))
        return request.read_bytes()

    def _line(self) -> str:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline().strip():
            if line == "ready" or line.startswith(("failed ", "/")):
                return line
        raise RuntimeError("the bare process ended")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Server:
    """Where it is, what it was asked, and how it is to behave."""

    def __init__(self, folder: Path, bare: Bare | None) -> None:
        self.folder, self.bare = folder, bare
        self.address = ""
        self.key: str | None = None
        """The one key that it takes; any where it is None."""
        self.waits = 1
        """How many looks at a job find it in the queue."""
        self.fails = ""
        """What it says of every job that it fails; "" where it fails none."""
        self.sent: list[int] = []
        """Bytes of each request."""
        self.returned: list[int] = []
        """Bytes of each answer."""
        self.looks: dict[str, int] = {}

    def took(self, body: bytes) -> dict[str, Any]:
        boundary = body.split(b"\r\n", 1)[0]
        (blob,) = (part for part in body.split(boundary) if b'name="blob"' in part[:300])
        request = blob.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
        job = f"job-{len(self.sent)}"
        self.sent.append(len(request))
        (self.folder / job).write_bytes(request)
        self.looks[job] = 0
        return {"id": job, "status": "RECEIVED", "description": "taken"}

    def says(self, job: str) -> dict[str, Any]:
        self.looks[job] += 1
        if self.looks[job] <= self.waits:
            return {"id": job, "status": "QUEUED", "description": "1 before you"}
        if self.fails:
            return {"id": job, "status": "ERROR", "description": self.fails}
        path = self.folder / job
        assert self.bare is not None
        try:
            answer = self.bare.do(path)
        except RuntimeError as reason:
            return {"id": job, "status": "ERROR", "description": str(reason)}
        self.returned.append(len(answer))
        return {"id": job, "status": "COMPLETED", "data": f"{self.address}/result/{job}"}


@contextmanager
def serving(folder: Path, bare: Bare | None = None) -> Iterator[Server]:
    """A server whose requests lie in a folder."""
    server = Server(folder, bare)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if server.key is not None and self.headers.get("ndif-api-key") != server.key:
                self._send(401, json.dumps({"detail": "Invalid API key"}).encode())
                return
            self._send(200, json.dumps(server.took(body)).encode())

        def do_GET(self) -> None:
            kind, job = re.fullmatch(r"/(response|result)/(.+)", self.path).groups()  # type: ignore[union-attr]
            path = server.folder / job
            self._send(200, path.read_bytes() if kind == "result" else json.dumps(server.says(job)).encode())

        def _send(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{http.server_address[1]}"
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
