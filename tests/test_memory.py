"""The memory tree: priorities, aliases, transactions, accesses (QEMU softmmu/memory.c, softmmu/physmem.c)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from population import heard, registered
from pyqemu_edu.process import Process
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.path import object_get_canonical_path, object_get_root
from pyqemu_edu.softmmu.flatview import FlatView, flatview_lookup
from pyqemu_edu.softmmu.memory import (
    AccessSizes,
    AddressSpace,
    DeviceEndian,
    MemoryListener,
    MemoryRegion,
    MemoryRegionOps,
    MemTxResult,
    address_space_init,
    address_space_to_flatview,
    memory_listener_register,
    memory_region_add_subregion,
    memory_region_add_subregion_overlap,
    memory_region_del_subregion,
    memory_region_dispatch_read,
    memory_region_dispatch_write,
    memory_region_init,
    memory_region_init_alias,
    memory_region_init_io,
    memory_region_init_ram,
    memory_region_init_rom,
    memory_region_set_address,
    memory_region_set_enabled,
    memory_region_transaction,
)
from pyqemu_edu.softmmu.memory_access import guest_error
from pyqemu_edu.softmmu.memory_init import memory_region_escape_name
from pyqemu_edu.softmmu.mtree import mtree_info
from pyqemu_edu.softmmu.physmem import (
    address_space_ld,
    address_space_memory,
    address_space_read,
    address_space_st,
    address_space_write,
    address_space_write_rom,
    cpu_exec_init_all,
    get_system_memory,
)
from pyqemu_edu.util.error import QemuError

NOBODY = (0, MemTxResult.DECODE_ERROR)


@pytest.fixture
def memory() -> Iterator[Process]:
    """A process with its two empty address spaces."""
    with registered("modelled") as process:
        container_get(object_get_root(), "/machine")
        cpu_exec_init_all()
        yield process


class Device:
    """Registers that note what they are told, and answer with the offset."""

    def __init__(self, **ops: object) -> None:
        self.told: list[tuple[object, ...]] = []
        self.ops = MemoryRegionOps(read=Device.read, write=Device.write, **ops)  # type: ignore[arg-type]

    def read(self, addr: int, size: int) -> int:
        self.told.append(("read", addr, size))
        return addr

    def write(self, addr: int, value: int, size: int) -> None:
        self.told.append(("write", addr, value, size))

    def region(self, name: str = "device", size: int = 0x1000) -> MemoryRegion:
        return memory_region_init_io(None, self.ops, self, name, size)


def ranges(view: FlatView) -> list[tuple[int, int, str | None, int]]:
    """Start, end, name and offset of each range."""
    return [(fr.addr.start, fr.addr.end, fr.mr.name, fr.offset_in_region) for fr in view]


def container(name: str = "c", size: int = 0x1000) -> MemoryRegion:
    return memory_region_init(None, name, size)


def test_the_two_address_spaces_begin_empty(memory: Process) -> None:
    assert "0000000000000000-ffffffffffffffff (prio 0, i/o): system" in mtree_info()
    assert ranges(address_space_to_flatview(address_space_memory())) == []
    assert address_space_ld(address_space_memory(), 0x1234, 4) == NOBODY


def test_a_region_without_an_owner_is_unattached_and_numbered(memory: Process) -> None:
    paths = [object_get_canonical_path(container("ram[0]/x")) for _ in range(2)]
    assert paths == [f"/machine/unattached/ram\\x5b0\\x5d\\x2fx[{n}]" for n in range(2)]
    assert memory_region_escape_name("plain") == "plain"


def test_higher_priority_hides_lower_and_the_rest_shows_around_it(memory: Process) -> None:
    root = container("root")
    memory_region_add_subregion(root, 0, Device().region("below", 0x1000))
    memory_region_add_subregion_overlap(root, 0x400, Device().region("above", 0x100), 1)
    space = address_space_init(root, "test")
    assert ranges(address_space_to_flatview(space)) == [
        (0, 0x400, "below", 0),
        (0x400, 0x500, "above", 0),
        (0x500, 0x1000, "below", 0x500),
    ]


def test_among_equals_the_newer_hides_the_older(memory: Process) -> None:
    root = container("root")
    for name in ("old", "new"):
        memory_region_add_subregion(root, 0, Device().region(name, 0x1000))
    assert ranges(address_space_to_flatview(address_space_init(root, "test"))) == [(0, 0x1000, "new", 0)]


def test_a_container_clips_what_is_in_it(memory: Process) -> None:
    root, inner = container("root", 0x1000), container("inner", 0x100)
    memory_region_add_subregion(inner, 0x80, Device().region("device", 0x1000))
    memory_region_add_subregion(root, 0x200, inner)
    assert ranges(address_space_to_flatview(address_space_init(root, "test"))) == [(0x280, 0x300, "device", 0)]


def test_an_alias_shows_a_part_of_another_region(memory: Process) -> None:
    root, ram = container("root", 0x4000), memory_region_init_ram(None, "ram", 0x2000)
    memory_region_add_subregion(root, 0x0, ram)
    memory_region_add_subregion(root, 0x3000, memory_region_init_alias(None, "alias", ram, 0x1000, 0x1000))
    space = address_space_init(root, "test")
    assert ranges(address_space_to_flatview(space)) == [(0, 0x2000, "ram", 0), (0x3000, 0x4000, "ram", 0x1000)]
    address_space_write(space, 0x3010, b"through")
    assert address_space_read(space, 0x1010, 7) == (b"through", MemTxResult.OK)


def test_neighbouring_pieces_of_one_region_become_one_range(memory: Process) -> None:
    root, ram = container("root", 0x2000), memory_region_init_ram(None, "ram", 0x2000)
    for offset in (0, 0x1000):
        memory_region_add_subregion(root, offset, memory_region_init_alias(None, "half", ram, offset, 0x1000))
    assert ranges(address_space_to_flatview(address_space_init(root, "test"))) == [(0, 0x2000, "ram", 0)]


def test_address_spaces_with_the_same_root_share_a_view(memory: Process) -> None:
    root = container("root")
    memory_region_add_subregion(root, 0, Device().region())
    one, two = address_space_init(root, "one"), address_space_init(root, "two")
    assert one.current_map is two.current_map
    whole = memory_region_init_alias(None, "whole", root, 0, 0x1000)
    assert address_space_init(whole, "three").current_map is one.current_map


def listened(space: AddressSpace) -> list[str]:
    """What a listener hears, from its registration on."""
    calls: list[str] = []
    memory_listener_register(
        MemoryListener(
            "test",
            begin=lambda listener: calls.append("begin"),
            commit=lambda listener: calls.append("commit"),
            region_add=lambda listener, section: calls.append(f"add {section.mr.name}"),
            region_del=lambda listener, section: calls.append(f"del {section.mr.name}"),
            region_nop=lambda listener, section: calls.append(f"nop {section.mr.name}"),
        ),
        space,
    )
    return calls


def test_a_listener_hears_what_came_what_went_and_what_stayed(memory: Process) -> None:
    root, device = container("root"), Device().region("a", 0x100)
    memory_region_add_subregion(root, 0, device)
    calls = listened(address_space_init(root, "test"))
    assert calls == ["begin", "add a", "commit"]
    calls.clear()
    memory_region_add_subregion(root, 0x200, Device().region("b", 0x100))
    assert calls == ["begin", "nop a", "add b", "commit"]
    calls.clear()
    memory_region_del_subregion(root, device)
    assert calls == ["begin", "del a", "nop b", "commit"]


def test_a_transaction_makes_many_changes_one(memory: Process) -> None:
    root = container("root")
    calls = listened(address_space_init(root, "test"))
    calls.clear()
    with memory_region_transaction():
        for offset in (0, 0x100):
            memory_region_add_subregion(root, offset, Device().region(f"at {offset:#x}", 0x100))
        assert calls == []
    assert calls == ["begin", "add at 0x0", "add at 0x100", "commit"]


def test_a_region_can_be_switched_off_and_moved(memory: Process) -> None:
    root, device = container("root"), Device().region("device", 0x100)
    memory_region_add_subregion(root, 0, device)
    space = address_space_init(root, "test")
    memory_region_set_address(device, 0x300)
    assert ranges(address_space_to_flatview(space)) == [(0x300, 0x400, "device", 0)]
    memory_region_set_enabled(device, False)
    assert ranges(address_space_to_flatview(space)) == []


def test_an_access_is_cut_to_what_the_device_understands(memory: Process) -> None:
    device = Device()
    region = device.region()
    assert memory_region_dispatch_write(region, 8, 0x1122334455667788, 8) is MemTxResult.OK
    assert device.told == [("write", 8, 0x55667788, 4), ("write", 12, 0x11223344, 4)]


def test_a_larger_access_is_made_for_a_device_that_knows_no_smaller(memory: Process) -> None:
    device = Device(impl=AccessSizes(4, 4))
    assert memory_region_dispatch_read(device.region(), 2, 1) == (2, MemTxResult.OK)
    assert device.told == [("read", 2, 4)]


def test_a_big_endian_device_sees_values_turned_round(memory: Process) -> None:
    device = Device(endianness=DeviceEndian.BIG)
    memory_region_dispatch_write(device.region(), 0, 0x11223344, 4)
    assert device.told == [("write", 0, 0x44332211, 4)]


def test_a_refused_access_reaches_nobody_and_the_log_says_why(memory: Process) -> None:
    device = Device(valid=AccessSizes(4, 4))
    region = device.region("picky")
    with heard(guest_error) as words:
        assert memory_region_dispatch_read(region, 0, 8) == NOBODY
        assert memory_region_dispatch_write(region, 2, 0, 4) is MemTxResult.DECODE_ERROR
    assert device.told == []
    assert [text for _, text in words] == [
        "Invalid read at addr 0x0, size 8, region 'picky', reason: invalid size (min:4 max:4)\n",
        "Invalid write at addr 0x2, size 4, region 'picky', reason: unaligned\n",
    ]


def test_rom_can_be_read_and_only_a_loader_can_write_it(memory: Process) -> None:
    memory_region_add_subregion(get_system_memory(), 0x1000, memory_region_init_rom(None, "rom", 0x1000))
    space = address_space_memory()
    assert address_space_write(space, 0x1000, b"no") is MemTxResult.DECODE_ERROR
    address_space_write_rom(space, 0x1000, b"yes")
    assert address_space_read(space, 0x1000, 4) == (b"yes\0", MemTxResult.OK)


def test_a_long_access_runs_over_ram_hole_and_device(memory: Process) -> None:
    device, space = Device(), address_space_memory()
    memory_region_add_subregion(get_system_memory(), 0x0, memory_region_init_ram(None, "ram", 0x1000))
    memory_region_add_subregion(get_system_memory(), 0x1004, device.region("device", 0x10))
    assert address_space_write(space, 0xFFC, bytes(range(16))) is MemTxResult.DECODE_ERROR
    assert address_space_read(space, 0xFFC, 4)[0] == bytes(range(4))
    assert device.told == [("write", 0, 0x0B0A0908, 4), ("write", 4, 0x0F0E0D0C, 4)]


@settings(deadline=None)
@given(st.integers(0, 0xFF8), st.integers(0, 2**64 - 1), st.sampled_from([1, 2, 4, 8]))
def test_what_is_stored_is_loaded_little_endian(addr: int, value: int, size: int) -> None:
    with registered("modelled"):
        container_get(object_get_root(), "/machine")
        cpu_exec_init_all()
        memory_region_add_subregion(get_system_memory(), 0, memory_region_init_ram(None, "ram", 0x1000))
        space, value = address_space_memory(), value & ((1 << size * 8) - 1)
        address_space_st(space, addr, value, size)
        assert address_space_ld(space, addr, size) == (value, MemTxResult.OK)
        assert address_space_read(space, addr, size)[0] == value.to_bytes(size, "little")


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 31), st.integers(1, 16), st.integers(0, 3)), max_size=8))
def test_the_flat_view_says_what_asking_region_by_region_says(places: list[tuple[int, int, int]]) -> None:
    """Each address belongs to the child of the highest priority there, the newest among equals."""
    with registered("modelled"):
        container_get(object_get_root(), "/machine")
        cpu_exec_init_all()
        root = container("root", 48)
        for n, (start, size, priority) in enumerate(places):
            memory_region_add_subregion_overlap(root, start, Device().region(str(n), size), priority)
        view = address_space_to_flatview(address_space_init(root, "test"))
        for addr in range(48):
            there = [(p, n) for n, (start, size, p) in enumerate(places) if start <= addr < start + size]
            fr = flatview_lookup(view, addr)
            assert (fr.mr.name if fr else None) == (str(max(there)[1]) if there else None)


def test_more_memory_than_there_is_is_refused_in_qemus_words(memory: Process) -> None:
    with pytest.raises(QemuError, match="^cannot set up guest memory 'huge': Cannot allocate memory$"):
        memory_region_init_ram(None, "huge", 1 << 60)
