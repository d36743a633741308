"""A job on a server of NDIF's: sent, waited for while nnsight shows how far it is, and never lost.

A job that isn't answered in time, or whose answer the network kept, goes on; the same question asked again waits for that job and
sends no other.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from torch import Tensor

WAIT = 600.0
"""Seconds to wait for an answer before saying so."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between two looks at a job; the last is kept to."""

_waiting: dict[Hashable, Any] = {}
"""nnsight's backends of jobs that were sent and not yet answered, by what was asked."""
_lock = threading.Lock()


def answered(what: Hashable, send: Callable[[], Any], host: str) -> dict[str, Tensor]:
    """The answer to what is asked: of the job that was sent for it before, or of one that `send` sends now.

    Raises ConnectionError where the server can't be reached, PermissionError where it refuses the key, TimeoutError where it
    doesn't answer in time, and RuntimeError, with what it says, where the job failed.
    """
    with _lock:
        job = _waiting.get(what)
    if job is None:
        with _said(host):
            job = send()
        with _lock:
            _waiting[what] = job
    try:
        found = _waited(job)
    except (ConnectionError, TimeoutError, KeyboardInterrupt):
        raise  # the job goes on, and is asked again
    except BaseException:
        _forget(what)
        raise
    _forget(what)
    answer: dict[str, Tensor] = found["found"]
    return answer


def _forget(what: Hashable) -> None:
    with _lock:
        _waiting.pop(what, None)


def _waited(job: Any) -> Any:
    began, looks = time.monotonic(), 0
    lost: Exception | None = None
    while True:
        try:
            with _said(job.host, job):
                found = job.poll()
            lost = None
            if found is not None:
                return found
        except ConnectionError as reason:  # a network that comes back
            lost = reason
        job.display.refresh()
        if time.monotonic() - began > WAIT:
            if lost is not None:
                raise lost
            raise TimeoutError(
                f"{job.host} has not answered job {job.job_id} in {WAIT:g} seconds; it is {_state(job)}. The job goes on: make "
                "the same call again to wait for it further, and nothing is sent twice."
            )
        time.sleep(PAUSES[min(looks, len(PAUSES) - 1)])
        looks += 1


def _state(job: Any) -> str:
    status = getattr(job.status, "value", job.status)
    return str(status or "not started").lower()


@contextlib.contextmanager
def _said(host: str, job: Any = None) -> Iterator[None]:
    """What nnsight and the network raise, as a sentence with what to do."""
    import httpx
    from nnsight.intervention.backends.remote import RemoteError

    kept = "" if job is None else f" Job {job.job_id} goes on: make the same call again to ask for its answer."
    try:
        yield
    except (OSError, ValueError) as reason:
        if isinstance(reason, httpx.HTTPError) or not isinstance(reason, OSError):
            raise
        raise ConnectionError(_unreachable(host, reason) + kept) from reason
    except RemoteError as reason:
        cause = reason.__cause__
        if isinstance(cause, httpx.HTTPStatusError):
            raise _refused(host, cause.response.status_code, str(reason)) from reason
        if isinstance(cause, httpx.HTTPError):
            raise ConnectionError(_unreachable(host, cause) + kept) from reason
        raise RuntimeError(
            f"The job failed on {host}: {_last_line(str(reason))} If the server has other versions of torch or transformers, "
            "nnsight.compare() names them; with the weights here, lw.run(model, prompt) runs it."
        ) from reason
    except httpx.HTTPStatusError as reason:
        raise _refused(host, reason.response.status_code, str(reason)) from reason
    except httpx.HTTPError as reason:
        raise ConnectionError(_unreachable(host, reason) + kept) from reason


def host_of(remote: bool | str) -> str:
    """The address of the server that `remote=` names."""
    from nnsight import CONFIG

    return remote if isinstance(remote, str) else str(CONFIG.API.HOST)


@contextlib.contextmanager
def naming(model: str) -> Iterator[None]:
    """Around asking the Hub what a server knows a model by; raises ConnectionError where it doesn't say."""
    try:
        yield
    except Exception as reason:
        raise ConnectionError(
            f"A server knows a model by its name on the Hub, and the Hub didn't say that of {model} ({type(reason).__name__}: "
            f"{_last_line(str(reason))}) Check the network and the name; with the weights here, "
            "lw.run(model, prompt) needs neither."
        ) from reason


def _unreachable(host: str, reason: Exception) -> str:
    return (
        f"{host} can't be reached ({type(reason).__name__}: {reason}). Check the network, and the address in "
        "nnsight.CONFIG.API.HOST; with the weights here, lw.run(model, prompt) needs neither."
    )


def _refused(host: str, code: int, said: str) -> Exception:
    if code in (401, 403):
        return PermissionError(
            f"{host} refused the key ({code}: {_last_line(said)}) Set yours with "
            "nnsight.CONFIG.set_default_api_key(key), or in the environment variable NDIF_API_KEY; nnsight.net says where to "
            "get one."
        )
    return RuntimeError(
        f"{host} didn't take the job ({code}: {_last_line(said)}) nnsight.status() lists the models that it runs now."
    )


def _last_line(text: str) -> str:
    """The end of what a server said, which of a traceback is its reason; as one sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it gave no reason"]
    return lines[-1][:300].rstrip(".") + "."
