"""A model whose weights lie on a server of NDIF's: its Grid is that of the model here, and whatever goes wrong is a sentence.

The server is one on loopback; what it is sent is done by a process that refuses to import lenswidget and jaxtyping.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.model.backends import backend_of
from lenswidget.model.backends.without_weights import outline
from tests import architectures
from tests.test_architectures import READ, TOKENS, one_thread

nnsight = pytest.importorskip("nnsight", reason="pip install lenswidget[nnsight]", exc_type=ImportError)
from nnsight.modeling.huggingface import _ID_CACHE  # noqa: E402
from nnsight.modeling.mixins.meta import MetaDevice  # noqa: E402

from lenswidget.model.backends import nnsight_jobs, nnsight_server  # noqa: E402
from tests.ndif.server import Bare, Server, serving  # noqa: E402

assert one_thread  # models this small are slower on two

# one of each kind: RMSNorm and LayerNorm, gains of 1 + w, a soft-cap, a scale, biases, parallel blocks, no attention
TRACED = (
    "LlamaForCausalLM",
    "GPT2LMHeadModel",
    "GPTNeoXForCausalLM",
    "Gemma2ForCausalLM",
    "CohereForCausalLM",
    "GraniteForCausalLM",
    "BloomForCausalLM",
    "OPTForCausalLM",
    "PhiForCausalLM",
    "MambaForCausalLM",
)
CANT = {"Idefics3ForConditionalGeneration"}
"""What would not run without its weights, and says so."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("llama")
    architectures.save("LlamaForCausalLM", path)
    return path


@pytest.fixture(scope="module")
def bare(folder: Path) -> Iterator[Bare]:
    process = Bare(folder)
    yield process
    process.close()


@pytest.fixture
def server(bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(tmp_path, bare) as one:
        monkeypatch.setattr(nnsight.CONFIG.API, "HOST", one.address)
        yield one


@pytest.fixture
def model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    return opened(folder, monkeypatch)


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:
    """A saved model as nnsight opens it, under a name that the Hub needn't be asked for."""
    monkeypatch.setitem(_ID_CACHE, str(folder), "tiny/model")
    tokenizer = architectures.tokenizer()
    return nnsight.TransformersModel(str(folder), task="text-generation", tokenizer=tokenizer, **options)


def here(folder: Path, architecture: str = "LlamaForCausalLM") -> lw.Run:
    return lw.run(architectures.oracle(architecture, folder), TOKENS)


def assert_same(ours: Grid, theirs: Grid, close: float = 2e-4) -> None:
    """Everything that a Grid shows, up to what float32 rounds; a product of other sizes rounds otherwise."""
    assert (ours.rows, ours.columns.tolist()) == (theirs.rows, theirs.columns.tolist())
    assert list(ours.quantities) == list(theirs.quantities)
    for name in ours.quantities:
        np.testing.assert_allclose(ours.values(name), theirs.values(name), rtol=close, atol=close, err_msg=name)
    if ours.candidates is not None and theirs.candidates is not None:
        assert np.array_equal(ours.candidates.ids, theirs.candidates.ids)
    assert ours.check is not None and theirs.check is not None and ours.check.holds and theirs.check.holds


def test_one_job_is_a_run_and_its_logit_lens(folder: Path, model: Any, server: Server) -> None:
    run = lw.run(model, TOKENS, remote=True)
    assert_same(lw.logit_lens(run), lw.logit_lens(here(folder)))
    assert_same(lw.logit_lens(run, position=[2, -1]), lw.logit_lens(here(folder), position=[2, -1]))
    assert len(server.sent) == 1 and not model.dispatched
    assert f"on {server.address}" in repr(run) and "remote=True" in lw.logit_lens(run).provenance["call"]


def test_targets_and_distances_are_asked_for_there(folder: Path, model: Any, server: Server) -> None:
    asked: Any = {
        "targets": [5, (7, 9)],
        "against": 11,
        "k": 4,
        "position": slice(2, 6),
        "extra": ["jensen_shannon", "total_variation"],
    }
    run = lw.run(model, TOKENS, remote=True)
    assert_same(lw.logit_lens(run, **asked), lw.logit_lens(here(folder), **asked))
    lw.logit_lens(run, **asked)
    assert len(server.sent) == 2  # what was answered isn't asked again


def test_a_lens_moves_rows_here_and_they_are_read_there(folder: Path, model: Any, server: Server) -> None:
    local = here(folder)
    text = "a quick brown fox jumps over twelve lazy dogs, and 34 cats look on; " * 8
    lens = lw.LinearLens.fit(
        architectures.oracle("LlamaForCausalLM", folder),
        [text] * 4,
        window=32,
        tokenizer=architectures.tokenizer(),
        tokens=300,
        held_out=64,
    )
    run = lw.run(model, TOKENS, remote=True)
    for one in (lens, lw.NegativeLens(), lambda rows, row: 1.1 * rows):
        assert_same(lw.read(run, one, targets=[5]), lw.read(local, one, targets=[5]))
    assert len(server.sent) == 5  # the run, its rows once, and each reading
    assert torch.equal(run.residual, local.residual)


def test_what_each_block_wrote_is_added_up(folder: Path, model: Any, server: Server) -> None:
    run = lw.run(model, TOKENS, remote=True)
    ours, theirs = (lw.attribute(one, 5, against=(7, 9), unit="block") for one in (run, here(folder)))
    assert_same(ours, theirs)


def test_what_needs_the_weights_here_names_what_to_call(model: Any, server: Server) -> None:
    run = lw.run(model, TOKENS, remote=True)
    before = len(server.sent)
    for refused in (
        lambda: lw.attribute(run, 5),
        lambda: lw.explain(run, 5, "L1"),
        lambda: lw.patch(run, run, 5),
        lambda: lw.divergence(run, lw.LogitLens(), lw.LogitLens()),
        lambda: run.readout.logits(torch.zeros(1, 32)),
    ):
        with pytest.raises(ValueError, match=r"lw\.run\(model, prompt\)"):
            refused()
    with pytest.raises(ValueError, match=r"leave remote= out"):
        lw.run(model, TOKENS, remote=True, edits=[lw.Edit("L1", to=0)])
    with pytest.raises(TypeError, match=r"nnsight\.TransformersModel"):
        lw.run(torch.nn.Linear(2, 2), TOKENS, remote=True)
    with pytest.raises(TypeError, match=r"grid\.save"):
        pickle.dumps(run)
    assert len(server.sent) <= before + 1  # rows that divergence moves


def test_a_model_without_a_tokenizer_takes_ids_and_says_so(
    folder: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = shutil.copytree(folder, tmp_path / "alone", ignore=shutil.ignore_patterns("*token*"))
    model = opened(alone, monkeypatch)
    model.tokenizer = None
    run = lw.run(model, TOKENS, remote=True)
    assert run.texts[40] != architectures.tokenizer().decode([40])
    with pytest.raises(ValueError, match="tokenizer="):
        lw.run(model, "hello", remote=True)
    known = lw.run(model, "hello", tokenizer=architectures.tokenizer(), remote=True)
    assert known.texts[40] == architectures.tokenizer().decode([40])


def test_a_queue_that_does_not_answer_loses_nothing(
    model: Any, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(nnsight_jobs, "WAIT", 0.3)
    server.waits = 10**6
    with pytest.raises(
        TimeoutError, match=r"has not answered job job-0 in 0\.3 seconds; it is queued.*same call again"
    ):
        lw.run(model, TOKENS, remote=True)
    assert "QUEUED" in capsys.readouterr().out  # progress
    server.waits = 0
    monkeypatch.setattr(nnsight_jobs, "WAIT", 60.0)
    assert lw.run(model, TOKENS, remote=True).check.holds  # type: ignore[union-attr]
    assert len(server.sent) == 1


def test_a_network_that_goes_away_loses_nothing(
    model: Any, bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nnsight_jobs, "WAIT", 0.3)
    with serving(tmp_path, bare) as server:
        server.waits = 10**6
        with pytest.raises(TimeoutError):
            lw.run(model, TOKENS, remote=server.address)
    with pytest.raises(ConnectionError, match=r"can't be reached .*Job job-0 goes on"):
        lw.run(model, TOKENS, remote=server.address)


def test_no_network_is_a_sentence(model: Any) -> None:
    with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1:9 can't be reached.*Check the network"):
        lw.run(model, TOKENS, remote="http://127.0.0.1:9")


def test_a_name_that_the_hub_does_not_know_is_a_sentence(folder: Path) -> None:
    model = nnsight.TransformersModel(str(folder), task="text-generation", tokenizer=architectures.tokenizer())
    with pytest.raises(ConnectionError, match="by its name on the Hub"):
        lw.run(model, TOKENS, remote="http://127.0.0.1:9")


def test_a_wrong_key_is_a_sentence(model: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.key = "right"
    monkeypatch.setattr(nnsight.CONFIG.API, "APIKEY", "wrong")
    with pytest.raises(PermissionError, match=r"refused the key \(401.*Invalid API key.*set_default_api_key"):
        lw.run(model, TOKENS, remote=True)
    monkeypatch.setattr(nnsight.CONFIG.API, "APIKEY", "right")
    lw.run(model, TOKENS, remote=True)


def test_a_job_that_fails_there_says_why_and_is_sent_anew(model: Any, server: Server) -> None:
    server.fails = "Traceback (most recent call last):\nAttributeError: module 'torch' has no attribute 'mm'"
    with pytest.raises(RuntimeError, match=r"has no attribute 'mm'\..*other versions of torch.*nnsight\.compare\(\)"):
        lw.run(model, TOKENS, remote=True)
    server.fails = ""
    lw.run(model, TOKENS, remote=True)
    assert len(server.sent) == 2


@pytest.mark.parametrize("architecture", TRACED)
def test_a_trace_here_gives_the_same_grid(architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    architectures.save(architecture, tmp_path)
    model = opened(tmp_path, monkeypatch, dispatch=True)
    # the trace runs in this process, and its answer is there at once
    monkeypatch.setattr(nnsight_server, "answered", lambda what, send, host: send())
    ours = lw.logit_lens(_run_traced(model, monkeypatch), targets=[5])
    assert_same(ours, lw.logit_lens(here(tmp_path, architecture), targets=[5]))


def _run_traced(model: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    from lenswidget.model.remote_run import RemoteRun

    return RemoteRun(nnsight_server.ServedBackend(model, False), torch.tensor(TOKENS))


@pytest.mark.parametrize("architecture", READ)
def test_blocks_norm_and_unembedding_are_found_without_weights(architecture: str) -> None:
    architectures.require(architecture)
    kind = architectures.hugging_face_class(architecture)
    config = architectures.small_config(kind.config_class, architectures.SMALL)
    with MetaDevice():
        empty = kind(config)
    before = dict(empty.named_parameters())
    if architecture in CANT:
        with pytest.raises(Exception, match="would not run without its weights"):
            outline(empty)
        return
    found = outline(empty)
    full = backend_of(kind(config).eval())._anatomy
    for name in ("blocks", "norm", "unembedding", "width", "vocabulary"):
        assert getattr(found, name) == getattr(full, name), name
    assert all(tensor is before[name] and tensor.is_meta for name, tensor in empty.named_parameters())
