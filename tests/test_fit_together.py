"""One fit by two processes, as torchrun starts them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import lenswidget as lw
from tests import architectures
from tests.test_fit import letters

ROOT = Path(__file__).parents[1]
FIT = """
import os, sys, torch
import lenswidget as lw
from pathlib import Path
from tests import architectures
from tests.test_fit import letters

torch.set_num_threads(1)
folder, out, dies = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "dies"
model = architectures.boot(folder)

def watch(progress):
    if dies and os.environ["RANK"] == "0" and progress.fraction > 0.3:
        os._exit(1)

settings = {"window": 32, "held_out": 128}
linear = lw.LinearLens.fit(model, letters(60), **settings)
tuned = lw.TunedLens.fit(model, letters(60), steps=8, watch=watch, **settings)
torch.save([(lens.weight, lens.bias, lens.card.kl, lens.card.tokens) for lens in (linear, tuned)], out / os.environ["RANK"])
"""

LONG = """
import os, signal, sys, torch
import lenswidget as lw
from pathlib import Path
from tests import architectures
from tests.test_fit import letters

torch.set_num_threads(1)
folder, out, dies = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "dies"
checkpoint = out / "fit.pt"
first = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"

def watch(progress):
    if dies and first and os.environ["RANK"] == "1" and progress.fraction > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)

lens = lw.TunedLens.fit(
    architectures.boot(folder),
    letters(60),
    steps=12,
    window=32,
    held_out=128,
    checkpoint=checkpoint,
    resume=checkpoint if checkpoint.exists() else None,
    watch=watch,
)
kept = (lens.weight, lens.bias, lens.card.kl, lens.card.tokens, first)
torch.save(kept, out / os.environ["RANK"])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    architectures.save("LlamaForCausalLM", folder)
    return folder


def fit_with_two(folder: Path, out: Path, dies: str) -> list[subprocess.CompletedProcess[str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", FIT, str(folder), str(out), dies]
    started = [
        subprocess.Popen(
            command,
            env={**os.environ, **shared, "RANK": rank},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    ]
    ended = []
    for process in started:
        said, complained = process.communicate(timeout=240)
        ended.append(subprocess.CompletedProcess(command, process.returncode, said, complained))
    return ended


def test_two_processes_fit_what_one_does(folder: Path, tmp_path: Path) -> None:
    for process in fit_with_two(folder, tmp_path, "lives"):
        assert process.returncode == 0, process.stderr
    model = architectures.boot(folder)
    settings = {"window": 32, "held_out": 128}
    alone = [
        lw.LinearLens.fit(model, letters(60), **settings),
        lw.TunedLens.fit(model, letters(60), steps=8, watch=lambda progress: None, **settings),
    ]
    for rank in "01":
        for lens, (weight, bias, kl, tokens) in zip(alone, torch.load(tmp_path / rank)):
            torch.testing.assert_close(weight, lens.weight, rtol=1e-3, atol=2e-3)
            torch.testing.assert_close(bias, lens.bias, rtol=1e-3, atol=2e-3)
            torch.testing.assert_close(torch.tensor(kl), torch.tensor(lens.card.kl), rtol=1e-3, atol=1e-4)
            assert tokens == lens.card.tokens


def test_where_one_process_dies_the_other_ends_with_a_message(folder: Path, tmp_path: Path) -> None:
    died, other = fit_with_two(folder, tmp_path, "dies")
    assert died.returncode == 1
    assert other.returncode != 0
    assert "another of its 2 processes has ended or did not answer" in other.stderr


def test_a_fit_that_loses_a_worker_is_taken_up_by_torchrun_and_comes_to_the_same_lens(
    folder: Path, tmp_path: Path
) -> None:
    """One of two workers is killed in the middle; torchrun starts both again, and they go on from the checkpoint."""
    found = {}
    script = tmp_path / "fit.py"
    script.write_text(LONG)
    for dies in ("lives", "dies"):
        out = tmp_path / dies
        out.mkdir()
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=1"]
        ended = subprocess.run(
            [sys.executable, *torchrun, str(script), str(folder), str(out), dies],
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        found[dies] = [torch.load(out / rank) for rank in "01"]
    for undisturbed, resumed in zip(*found.values()):
        assert undisturbed[-1] and not resumed[-1], "it was started again"
        for one, other in zip(undisturbed[:2], resumed[:2]):
            assert torch.equal(one, other), "the same lens to the bit"
        assert undisturbed[2:4] == resumed[2:4]
