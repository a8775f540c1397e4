"""`-global` and `-cpu`: who wins, as QMP told of the reference."""

from __future__ import annotations

import pytest

from pyqemu_edu.qom.qom_qmp_cmds import qmp_qom_get
from pyqemu_edu.vm import CommandLineError, Qemu

SPIKE = "-machine spike -bios none -display none -nodefaults -monitor none -serial none "


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        ("-global rv64-riscv-cpu.m=off -cpu rv64,m=on", "m", True),
        ("-cpu rv64,m=on -global rv64-riscv-cpu.m=off", "m", True),
        ("-global riscv-cpu.debug=off -global rv64-riscv-cpu.debug=on", "debug", True),
        ("-global rv64-riscv-cpu.debug=on -global riscv-cpu.debug=off", "debug", False),
    ],
)
def test_of_several_wishes_for_a_hart_the_last_wins_and_cpu_comes_last(options, name, value):
    vm = Qemu(SPIKE + options, record=False)
    with vm.process:
        assert qmp_qom_get("harts[0]", name) is value
    vm.close()


def test_a_wish_for_all_devices_fails_at_the_first_of_them():
    """That is the object with migration's settings, which is none really."""
    with pytest.raises(CommandLineError) as error:
        Qemu(SPIKE + "-global device.resetvec=0x2000", record=False)
    assert error.value.status == 1
    assert str(error.value) == (
        "qemu-system-riscv64: can't apply global device.resetvec=0x2000: Property 'migration.resetvec' not found\n"
    )


def test_a_driver_with_a_dot_in_its_name_is_cut_at_the_first_dot():
    vm = Qemu(SPIKE + "-global riscv.hart_array.num-harts=3", record=False)
    assert vm.stderr.getvalue() == (
        "qemu-system-riscv64: warning: global riscv.hart_array.num-harts has invalid class name\n"
    )
    vm.close()
