"""What a random program for a hart is run on: board, model and its properties, clock, page tables (Not in QEMU)."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

# fmt: off
BOARDS = ("spike", "virt")
EXTENSIONS = (
    *("",) * 4, "Zfh=true", "Zfh=true,d=false", "Zfhmin=true", "f=false,d=false", "f=false,d=false,zfinx=true",
    "f=false,d=false,zdinx=true,zhinx=true", "f=false,d=false,zhinxmin=true", "zba=false,zbb=false",
    "zbc=false,zbs=false", "zk=true,zks=true", "zkr=true", "m=false", "m=false,zmmul=true", "a=false", "c=false",
    "Zifencei=false", "xventanacondops=true", "e=true,i=false,h=false",
    "s=false", "s=false,u=false", "mmu=false", "pmp=false", "x-epmp=true", "debug=false", "sstc=false", "svinval=true",
    "svnapot=true,svpbmt=true", "pmu-num=4,sscofpmf=true", "priv_spec=v1.10.0", "priv_spec=v1.11.0",
)
CPUS = (*(f"rv64,h=false,{each}".rstrip(",") for each in EXTENSIONS), "rv64", "sifive-u54", "sifive-e51", "shakti-c")
# fmt: on


class Setting(NamedTuple):
    """What a program is run on, and what it is told of that.

    With `icount` time is counted in instructions, so that the program may ask for it.  A `fenced` program has a fence.i
    wherever it changes code.  `levels` are those of its page tables.
    """

    board: str
    cpu: str
    icount: bool
    fenced: bool
    levels: int

    @property
    def options(self) -> str:
        """The command line."""
        clock = " -icount shift=0,sleep=off" if self.icount else ""
        return f"-machine {self.board} -cpu {self.cpu}{clock} -bios none -display none -serial null -monitor none"

    @property
    def has_doubles(self) -> bool:
        """Whether the hart has registers for them."""
        return "d=false" not in self.cpu and self.cpu != "sifive-e51"


def random_setting(rng: Random) -> Setting:
    """Any board with any model, the shallow page tables more often."""
    return Setting(
        rng.choice(BOARDS), rng.choice(CPUS), rng.random() < 0.3, rng.random() < 0.5, rng.choice((3, 3, 4, 5))
    )
