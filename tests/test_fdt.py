"""Flattened device trees, edited in place as libfdt does (QEMU softmmu/device_tree.c)."""

from __future__ import annotations

import io
import subprocess

import pytest

from conftest import required_tool
from pyqemu_edu.process import Process
from pyqemu_edu.softmmu.device_tree import (
    create_device_tree,
    qemu_fdt_add_path,
    qemu_fdt_add_subnode,
    qemu_fdt_get_phandle,
    qemu_fdt_getprop,
    qemu_fdt_setprop,
    qemu_fdt_setprop_cell,
    qemu_fdt_setprop_cells,
    qemu_fdt_setprop_phandle,
    qemu_fdt_setprop_string,
    qemu_fdt_setprop_string_array,
    qemu_fdt_setprop_u64,
)
from pyqemu_edu.softmmu.libfdt import Fdt, fdt_nodes, fdt_pack, fdt_path_offset
from pyqemu_edu.util.error import QemuExit


def source(fdt: Fdt) -> str:
    """What the device tree compiler makes of it; it complains of what is not well formed."""
    done = subprocess.run(
        [required_tool("dtc"), "-q", "-I", "dtb", "-O", "dts"], input=fdt.blob(), capture_output=True, check=True
    )
    return done.stdout.decode()


def test_an_empty_tree_is_well_formed() -> None:
    assert source(create_device_tree()) == "/dts-v1/;\n\n/ {\n};\n"


def test_new_properties_and_nodes_go_in_front() -> None:
    fdt = create_device_tree()
    for name in ("a", "b"):
        qemu_fdt_setprop_cell(fdt, "/", name, 1)
        qemu_fdt_add_subnode(fdt, f"/n{name}")
    text = source(fdt)
    assert text.index("b = ") < text.index("a = ") < text.index("nb {") < text.index("na {")


def test_values_of_every_kind_read_back_as_dtc_reads_them() -> None:
    fdt = create_device_tree()
    qemu_fdt_add_path(fdt, "/soc/uart@100")
    qemu_fdt_setprop_string(fdt, "/soc/uart@100", "compatible", "ns16550a")
    qemu_fdt_setprop_string_array(fdt, "/soc/uart@100", "names", ("one", "two"))
    qemu_fdt_setprop_u64(fdt, "/soc", "big", 0x123456789ABCDEF0)
    qemu_fdt_setprop_cells(fdt, "/soc", "reg", 1, 0x1_0000_0002)
    qemu_fdt_setprop(fdt, "/soc", "flag", b"")
    qemu_fdt_setprop_cell(fdt, "/soc/uart@100", "phandle", 7)
    qemu_fdt_setprop_phandle(fdt, "/soc", "stdout", "/soc/uart@100")
    text = source(fdt)
    for line in (
        'compatible = "ns16550a";',
        'names = "one\\0two";',
        "big = <0x12345678 0x9abcdef0>;",
        "reg = <0x01 0x02>;",
        "flag;",
        "stdout = <0x07>;",
    ):
        assert line in text
    assert qemu_fdt_get_phandle(fdt, "/soc/uart@100") == 7


def test_a_property_can_grow_and_shrink() -> None:
    fdt = create_device_tree()
    qemu_fdt_add_subnode(fdt, "/chosen")
    for value in (b"x", b"something longer", b""):
        qemu_fdt_setprop(fdt, "/", "p", value)
        assert qemu_fdt_getprop(fdt, "/", "p") == value
    assert "chosen {" in source(fdt)


def test_a_name_that_ends_like_an_older_one_is_not_stored_again() -> None:
    fdt = create_device_tree()
    qemu_fdt_setprop(fdt, "/", "linux,phandle", b"")
    size = fdt.size_dt_strings
    qemu_fdt_setprop(fdt, "/", "phandle", b"")
    assert fdt.size_dt_strings == size
    assert set(dict(fdt_nodes(fdt))["/"]) == {"linux,phandle", "phandle"}


def test_a_node_is_found_without_its_unit_address() -> None:
    fdt = create_device_tree()
    qemu_fdt_add_subnode(fdt, "/memory@80000000")
    assert fdt_path_offset(fdt, "/memory") == fdt_path_offset(fdt, "/memory@80000000") is not None
    assert fdt_path_offset(fdt, "/mem") is None


def test_packing_gives_up_the_free_space_and_nothing_else() -> None:
    fdt = create_device_tree()
    qemu_fdt_setprop_string(fdt, "/", "model", "m")
    before = source(fdt)
    fdt_pack(fdt)
    assert fdt.totalsize < 200
    assert source(fdt) == before


def test_a_missing_node_ends_the_process_in_qemus_words() -> None:
    stderr = io.StringIO()
    with Process(["qemu-system-riscv64"], stderr=stderr), pytest.raises(QemuExit) as end:
        qemu_fdt_setprop_cell(create_device_tree(), "/nosuch", "p", 1)
    assert end.value.status == 1
    assert stderr.getvalue() == "qemu-system-riscv64: findnode_nofail Couldn't find node /nosuch: FDT_ERR_NOTFOUND\n"
