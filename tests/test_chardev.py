"""Character devices: where output goes, how input comes (QEMU chardev/)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from boards import board, real_answer, refused
from population import registered
from pyqemu_edu.chardev.char import (
    Chardev,
    qemu_chr_be_push,
    qemu_chr_find,
    qemu_chr_new,
    qemu_chr_new_from_opts,
    qemu_chr_new_mux_mon,
    short_form,
)
from pyqemu_edu.chardev.char_fe import (
    CharBackend,
    qemu_chr_fe_accept_input,
    qemu_chr_fe_init,
    qemu_chr_fe_set_handlers,
    qemu_chr_fe_write,
)
from pyqemu_edu.chardev.char_ringbuf import qmp_ringbuf_read
from pyqemu_edu.hw.char import riscv_htif
from pyqemu_edu.process import Process
from pyqemu_edu.qom.path import object_resolve_path
from pyqemu_edu.softmmu.option_lists import add_lists_of
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError, QemuExit
from pyqemu_edu.util.option_parse import qemu_opts_parse


@pytest.fixture
def process() -> Iterator[Process]:
    with registered("modelled") as process:
        add_lists_of("qemu_init")
        yield process


class Device:
    """A device with room for so many bytes, and its end of the line."""

    def __init__(self, chr: Chardev | None, room: int = 100) -> None:
        self.room, self.got = room, b""
        self.line = CharBackend()
        qemu_chr_fe_init(self.line, chr)
        qemu_chr_fe_set_handlers(self.line, Device.can_read, Device.read, opaque=self)

    def can_read(self) -> int:
        return self.room - len(self.got)

    def read(self, data: bytes) -> None:
        self.got += data


def chardev(text: str) -> Chardev:
    """What `-chardev text` makes."""
    chr = qemu_chr_new_from_opts(qemu_opts_parse(qemu_find_opts("chardev"), text, True))
    assert chr is not None
    return chr


def test_a_back_end_is_a_child_of_chardevs(process: Process) -> None:
    chr = qemu_chr_new("serial0", "null")
    assert chr is not None
    assert object_resolve_path("/chardevs/serial0") is chr
    assert qemu_chr_find("serial0") is chr


def test_null_takes_everything_and_gives_nothing(process: Process) -> None:
    device = Device(qemu_chr_new("serial0", "null"))
    assert qemu_chr_fe_write(device.line, b"lost") == 4
    assert device.got == b""


def test_a_device_without_a_back_end_writes_nowhere(process: Process) -> None:
    assert qemu_chr_fe_write(Device(None).line, b"lost") == 0


def test_a_file_holds_what_was_written(process: Process, tmp_path: Path) -> None:
    file = tmp_path / "out"
    device = Device(qemu_chr_new("serial0", f"file:{file}"))
    qemu_chr_fe_write(device.line, b"\x00\xffbytes")
    assert file.read_bytes() == b"\x00\xffbytes"


def test_a_log_gets_a_copy(process: Process, tmp_path: Path) -> None:
    log = tmp_path / "log"
    qemu_chr_fe_write(Device(chardev(f"null,id=c,logfile={log}")).line, b"copied")
    assert log.read_bytes() == b"copied"


def test_stdio_is_the_processs_own_output_and_belongs_to_one(process: Process) -> None:
    process.stdin = io.StringIO()
    device = Device(qemu_chr_new("serial0", "stdio"))
    for byte in "Grüße\n".encode():
        qemu_chr_fe_write(device.line, bytes([byte]))
    assert process.stdout.getvalue() == "Grüße\n"  # type: ignore[attr-defined]
    assert qemu_chr_new("serial1", "stdio") is None
    assert "cannot use stdio by multiple character devices" in process.stderr.getvalue()  # type: ignore[attr-defined]


def test_a_ring_buffer_keeps_the_newest(process: Process) -> None:
    device = Device(chardev("ringbuf,id=r,size=8"))
    qemu_chr_fe_write(device.line, b"0123456789")
    assert qmp_ringbuf_read("r", 3) == b"234"
    assert qmp_ringbuf_read("r", 100) == b"56789"
    with pytest.raises(QemuError, match="^size of ringbuf chardev must be power of two$"):
        chardev("ringbuf,id=s,size=7")


def test_input_waits_until_there_is_room(process: Process) -> None:
    chr = chardev("null,id=c")
    device = Device(chr, room=3)
    qemu_chr_be_push(chr, b"abcdef")
    assert device.got == b"abc"
    device.room = 5
    qemu_chr_fe_accept_input(device.line)
    assert device.got == b"abcde"


def test_a_line_belongs_to_one_device(process: Process) -> None:
    chr = chardev("null,id=c")
    Device(chr)
    with pytest.raises(QemuError):
        Device(chr)


def test_control_a_c_switches_between_devices_on_a_shared_line(process: Process) -> None:
    shared = chardev("ringbuf,id=m,mux=on")
    one, two = Device(shared), Device(shared)
    base = qemu_chr_find("m-base")
    assert base is not None
    qemu_chr_be_push(base, b"to two\x01cto one\x01\x01")
    assert (one.got, two.got) == (b"to one\x01", b"to two")
    qemu_chr_fe_write(one.line, b"1")
    qemu_chr_fe_write(two.line, b"2")
    assert qmp_ringbuf_read("m-base", 10) == b"12"


def test_control_a_x_ends_the_process(process: Process) -> None:
    shared = chardev("ringbuf,id=m,mux=on")
    Device(shared)
    base = qemu_chr_find("m-base")
    assert base is not None
    with pytest.raises(QemuExit) as end:
        qemu_chr_be_push(base, b"\x01x")
    assert end.value.status == 0
    assert qmp_ringbuf_read("m-base", 100) == b"QEMU: Terminated\n\r"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("stdio", {"backend": "stdio"}),
        ("file:/tmp/x", {"backend": "file", "path": "/tmp/x"}),
        ("vc:80Cx24C", {"backend": "vc", "cols": "80", "rows": "24"}),
        ("vc:640x480", {"backend": "vc", "width": "640", "height": "480"}),
        ("/dev/ttyS0", {"backend": "serial", "path": "/dev/ttyS0"}),
        ("vc:axb", {}),
        ("nonsense", None),
    ],
)
def test_short_forms_stand_for_options(text: str, options: dict[str, str] | None) -> None:
    assert short_form(text) == options


@pytest.mark.parametrize("text", ["nonsense", "mon:nonsense"])
def test_an_unknown_short_form_is_refused_in_qemus_words(process: Process, text: str) -> None:
    assert qemu_chr_new_mux_mon("serial0", text) is None
    assert process.stderr.getvalue() == "qemu-system-riscv64: 'nonsense' is not a valid char driver\n"  # type: ignore[attr-defined]


def test_an_unknown_kind_is_refused_in_qemus_words(process: Process) -> None:
    with pytest.raises(QemuError, match="^'nosuch' is not a valid char driver name$"):
        chardev("nosuch,id=c")
    with pytest.raises(QemuError, match="^chardev: no id specified$"):
        chardev("null")


def test_htif_writes_a_character_and_answers(tmp_path: Path) -> None:
    file = tmp_path / "console"
    with board("-machine", "spike", "-bios", "none", "-serial", "null", "-chardev", f"file,id=c,path={file}"):
        s = riscv_htif.HTIFState(tohost_offset=8, fromhost_offset=0)
        qemu_chr_fe_init(s.chr, qemu_chr_find("c"))
        for offset, half in ((8, ord("H")), (12, 0x0101_0000)):
            riscv_htif.htif_mm_write(s, offset, half, 4)
        assert file.read_bytes() == b"H"
        assert s.fromhost == 0x0101_0000_0000_0100 | ord("H")
        assert s.tohost == 0


def test_htif_gives_one_character_for_each_request() -> None:
    s = riscv_htif.HTIFState(tohost_offset=8, fromhost_offset=0)
    assert riscv_htif.htif_can_recv(s) == 0
    riscv_htif.htif_handle_tohost_write(s, 0x0100_0000_0000_0000)
    assert riscv_htif.htif_can_recv(s) == 1
    riscv_htif.htif_recv(s, b"x")
    assert s.fromhost == 0x0100_0000_0000_0100 | ord("x")
    assert riscv_htif.htif_can_recv(s) == 0


@pytest.mark.parametrize(("tohost", "status"), [(1, 0), (3, 1), (85, 42), ((256 << 1) | 1, 0), (0xFFFFFFFFFFFF, 255)])
def test_htif_ends_the_process_with_the_low_byte_of_the_payload(tohost: int, status: int) -> None:
    with pytest.raises(QemuExit) as end:
        riscv_htif.htif_handle_tohost_write(riscv_htif.HTIFState(8, 0), tohost)
    assert end.value.status == status


@pytest.mark.parametrize(
    "arguments",
    [
        "-serial file:/nonexistent/x",
        "-serial foo",
        "-serial vc:axb",
        "-serial mon:foo",
        "-serial chardev:nosuch",
        "-chardev null",
        "-chardev foo,id=x",
        "-chardev file,id=r",
        "-chardev null,id=r,logfile=/nonexistent/x",
        "-chardev ringbuf,id=r,size=7",
        "-chardev null,id=r -chardev null,id=r",
    ],
)
def test_what_the_reference_refuses_is_refused_in_its_words(real_qemu: str, arguments: str) -> None:
    words = ("-machine", "spike", "-bios", "none", *arguments.split())
    assert refused(*words) == real_answer(real_qemu, *words)
