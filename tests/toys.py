"""The toy boot as a module of the package, and a recording of it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pyqemu_edu.process import Process
from pyqemu_edu.trace.recorder import Recorder


@pytest.fixture(name="toy", scope="session")
def load_toy() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("pyqemu_edu.toy_boot", Path(__file__).parent / "toy_boot.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop(spec.name, None)


def record(toy: ModuleType, **options: object) -> Recorder:
    with Process() as process, Recorder(process, **options) as recorder:  # type: ignore[arg-type]
        toy.qemu_init(["spike", "virt"])
    return recorder
