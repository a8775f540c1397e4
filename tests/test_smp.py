"""`-smp` against the reference: what is filled in, and what is refused (QEMU hw/core/machine-smp.c)."""

from __future__ import annotations

import pytest

from boards import board, real_answer, refused
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.qom.property import object_property_get_qobject

REFUSED = (
    "-1",
    "9",
    "7,cores=2",
    "cpus=8,cores=3,sockets=2",
    "cpus=4,sockets=8",
    "cpus=2,sockets=1,cores=1,threads=1",
    "4,maxcpus=2",
    "dies=2",
    "clusters=2",
    "cpus=4,cores=-1",
    "cpus=x",
    "foo=1",
    "cpus=99999999999999999999",
    "cpus.x=1",
)


@pytest.mark.parametrize("smp", REFUSED)
def test_what_the_reference_refuses_is_refused_in_its_words(real_qemu: str, smp: str) -> None:
    arguments = ("-machine", "spike", "-bios", "none", "-smp", smp)
    assert refused(*arguments) == real_answer(real_qemu, *arguments)


@pytest.mark.parametrize(
    ("smp", "topology"),
    [
        ("1", (1, 1, 1, 1, 1)),
        ("4", (4, 1, 4, 1, 4)),
        ("sockets=3", (3, 3, 1, 1, 3)),
        ("maxcpus=8,sockets=4", (8, 4, 2, 1, 8)),
        ("2,maxcpus=4", (2, 1, 4, 1, 4)),
        ("6,cores=3", (6, 2, 3, 1, 6)),
        ("8,sockets=2,cores=2", (8, 2, 2, 2, 8)),
        ("4294967298", (2, 1, 2, 1, 2)),
    ],
)
def test_what_is_left_open_is_filled_in(smp: str, topology: tuple[int, ...]) -> None:
    """The numbers are those that the reference's `qom-get /machine smp` gives."""
    with board("-machine", "spike", "-bios", "none", "-smp", smp):
        values = object_property_get_qobject(current_machine(), "smp")
        keys = ("cpus", "sockets", "cores", "threads", "maxcpus")
        assert tuple(values[key] for key in keys) == topology


def test_zero_is_deprecated_but_runs() -> None:
    with board("-machine", "spike", "-bios", "none", "-smp", "0") as process:
        assert process.stderr.getvalue() == (  # type: ignore[attr-defined]
            "qemu-system-riscv64: warning: Deprecated CPU topology (considered invalid): "
            "CPU topology parameters must be greater than zero\n"
        )
        assert current_machine().smp.cpus == 1
