"""What a server does with a request, in a process that has torch and nnsight and must not find lenswidget or jaxtyping.

python bare.py FOLDER: a model; then on each line of standard input the path of a request, for which the path of what it
saved is printed, or what went wrong.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

REFUSED = ("lenswidget", "jaxtyping", "beartype", "tests")


class Refuse:
    """Finds nothing of what a server doesn't have."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"this process has no {name}", name=name)


sys.meta_path.insert(0, Refuse())  # type: ignore[arg-type]
sys.path[:] = [path for path in sys.path if not (Path(path) / "lenswidget").is_dir()]

import nnsight  # noqa: E402
import torch  # noqa: E402
from nnsight.schema.request import RequestModel  # noqa: E402
from nnsight.tracing.tracer import dec, inc  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402


def done(model: Any, request: bytes) -> dict[str, Any]:
    """The saved values of a request."""
    tracer = RequestModel.deserialize(request, model._remoteable_persistent_objects(), compress=True)
    before = dict(tracer.info.frame.f_locals)
    inc()
    try:
        tracer.execute(tracer.info.code)
    finally:
        dec()
    after = tracer.info.frame.f_locals
    return {name: value for name, value in after.items() if name not in before or before[name] is not value}


def serve(folder: str) -> None:
    import zstandard

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = nnsight.TransformersModel(folder, task="text-generation", tokenizer=tokenizer, dispatch=True)
    model.eval()
    print("ready", flush=True)
    for line in sys.stdin:
        path = Path(line.strip())
        try:
            saved = done(model, path.read_bytes())
            torch.save(saved, path)
            path.write_bytes(zstandard.ZstdCompressor().compress(path.read_bytes()))
            print(path, flush=True)
        except Exception:
            print("failed", repr(traceback.format_exc()), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve(sys.argv[1])
