"""Published tuned lenses come from a space on the Hugging Face Hub: here, from a small server that answers as the Hub does."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

import lenswidget as lw
from tests.golden import tuned_lens as golden

COMMIT = "0123456789" * 4
FILES = {
    f"lens/{name}/{file}": golden.HERE / file
    for name in ("gpt2", "EleutherAI/pythia-70m")
    for file in ("config.json", "params.pt")
}
SPACE = "/spaces/AlignmentResearch/tuned-lens/resolve/"
API = "/api/spaces/AlignmentResearch/tuned-lens"


class Hub(BaseHTTPRequestHandler):
    """Metadata and files of one space at one commit, which is also called main."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        found = re.fullmatch(rf"{re.escape(SPACE)}(main|{COMMIT})/(.*)", self.path)
        if found and found[2] in FILES:
            content = FILES[found[2]].read_bytes()
            self.answer(200, content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'})
        elif found:
            self.answer(404, b"Entry not found", {"X-Error-Code": "EntryNotFound"})
        elif self.path.startswith(SPACE):
            self.answer(404, b"Revision not found", {"X-Error-Code": "RevisionNotFound"})
        elif self.path.startswith(f"{API}/tree/") or self.path.startswith(f"{API}/revision/") or self.path == API:
            files = [*FILES, "README.md"]
            tree = [{"type": "file", "path": file, "size": 1, "oid": "0"} for file in files]
            info = {
                "id": "AlignmentResearch/tuned-lens",
                "sha": COMMIT,
                "siblings": [{"rfilename": file} for file in files],
            }
            self.answer(
                200, json.dumps(tree if "/tree/" in self.path else info).encode(), {"Content-Type": "application/json"}
            )
        else:
            self.answer(404, b"", {})

    def answer(self, code: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**headers, "X-Repo-Commit": COMMIT, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    constants = huggingface_hub.constants
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.chdir(tmp_path)
    yield server
    server.shutdown()
    server.server_close()


def test_a_published_lens_is_fetched_by_name_and_kept(
    hub: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lens = lw.load_lens("EleutherAI/pythia-70m")
    assert lens.name == "Tuned lens" and lens.weight.shape == (golden.LAYERS, golden.WIDTH, golden.WIDTH)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert lw.load_lens("EleutherAI/pythia-70m", revision=COMMIT).card == lens.card
    with pytest.raises(OSError, match=r"no file or folder 'gpt2' here, and the Hub, .* can't be reached"):
        lw.load_lens("gpt2")


def test_a_name_that_is_not_published_is_answered_with_those_that_are(hub: ThreadingHTTPServer) -> None:
    with pytest.raises(
        ValueError, match=r"no tuned lens of that name in .*That space has: EleutherAI/pythia-70m, gpt2\."
    ):
        lw.load_lens("gpt3")
    with pytest.raises(OSError, match=r"'gpt2' could not be fetched .*"):
        lw.load_lens("gpt2", revision="never")
