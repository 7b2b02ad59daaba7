"""The emulator as a process of its own, and its control endpoint: what no client of Azure's may see or do."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE_SIZE = 3
"""Items on a page of a list that names no other size: small, so that a list has several."""
START_SECONDS = 20.0
STOP_SECONDS = 5.0


class Emulator:
    """A running emulator."""

    def __init__(self, ready: dict[str, str]) -> None:
        self.arm: str = ready["arm"]
        self.authority: str = ready["authority"]
        self.ca: str = ready["ca"]
        self._control: str = ready["control"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call behind the scenes; its answer, as JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._control + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def add_fault(self, match: dict[str, Any], action: dict[str, Any]) -> None:
        """The calls that match suffer this from now on. All faults go when the test ends."""
        self.control("POST", "/faults", {"match": match, "action": action})

    @contextlib.contextmanager
    def settings(self, **patch: Any) -> Iterator[None]:
        """Other settings for a while."""
        before = self.control("GET", "/settings")
        self.control("POST", "/settings", patch)
        try:
            yield
        finally:
            self.control("POST", "/settings", {name: before.get(name) for name in patch})

    def last_call(self) -> int:
        """The number of the last call; what comes after it is what a test has caused."""
        return self.control("GET", "/state")["lastCall"]

    def calls(
        self, since: int = 0, kind: str = "arm", method: str | None = None, path: str = ""
    ) -> list[dict[str, Any]]:
        """The ledger: the calls after that number whose path has this part, oldest first."""
        return [
            call
            for call in self.control("GET", f"/ledger?since={since}")
            if call["kind"] == kind and method in (None, call["method"]) and path.lower() in call["path"].lower()
        ]


def _die_with_parent() -> None:
    """Linux ends the emulator with the test run, even if that is killed without a chance to clean up."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[Emulator]:
    """An emulator on free ports, with world.yaml; it is gone when the block is left, however it is left."""
    world = Path(__file__).with_name("world.yaml")
    ready, log = folder / "ready.json", folder / "emulator.log"
    command = [
        os.environ["AVNM_EMULATOR"],
        *("--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--world", str(world)),
        *("--ready-file", str(ready), "--ca-file", str(folder / "ca.pem")),
        *options,
    ]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, preexec_fn=_die_with_parent
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (ready.exists() and ready.read_text().strip()):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the emulator did not start: {log.read_text()}")
            time.sleep(0.01)
        yield Emulator(json.loads(ready.read_text()))
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
