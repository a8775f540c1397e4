"""What every test may ask for: installed tools, and honesty about skipping."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
IN_CI = os.environ.get("CI") == "true"


def required_tool(*names: str) -> str:
    """The path of the first of `names` that is installed; skips the test where none is."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"{' or '.join(names)} is not installed")


def connected(path: Path, patience: float = 30.0) -> socket.socket:
    """A connection to the Unix socket at `path`, as soon as somebody listens; so many seconds at most."""
    deadline = time.monotonic() + patience
    while True:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(patience)
        try:
            client.connect(str(path))
            return client
        except OSError:
            client.close()
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds everything."""
    return ROOT


@pytest.fixture(scope="session")
def real_qemu() -> str:
    """The installed `qemu-system-riscv64`, which must be a 7.2; skips where there is none."""
    return required_tool("qemu-system-riscv64")


def _refuse_skip(report: Any) -> None:
    """In CI every tool is installed, so a skipped test is a failed one."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report
