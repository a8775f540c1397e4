"""Answers to the exercises of notebook 01: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb01
from pyqemu_edu.util.option import QemuOptDesc, QemuOptsList, QemuOptType

ROUTES = {"-kernel": "dictionary", "-cpu": "variable", "-smp": "dictionary", "-netdev": "list", "-serial": "queue"}


def coffee(implied="kind", merge=True, cups=QemuOptType.NUMBER, described=True):
    """A list for coffee, perhaps with something wrong."""
    desc = (
        QemuOptDesc("kind"),
        QemuOptDesc("cups", cups),
        QemuOptDesc("milk", QemuOptType.BOOL),
        QemuOptDesc("water", QemuOptType.SIZE),
    )
    return QemuOptsList("coffee", implied, merge, desc if described else ())


TAIL = "-chardev null,id=log -chardev null,id=log2 -display none"

EXERCISES = [
    (
        nb01.check_1,
        (dict.fromkeys(ROUTES, ""),),
        (ROUTES,),
        [
            ((ROUTES | {"-smp": "list"},), "prints the help"),
            ((ROUTES | {"-cpu": "list"},), "no list describes it"),
            ((ROUTES | {"-cpu": "dictionary"},), "until the accelerator is known"),
            ((ROUTES | {"-serial": "list"},), "older than lists"),
            ((ROUTES | {"-kernel": "variable"},), "long ago"),
            ((ROUTES | {"-netdev": "queue"},), "word_routes"),
        ],
    ),
    (
        nb01.check_2,
        (QemuOptsList("coffee"),),
        (coffee(),),
        [
            ((coffee(implied=None),), "Invalid parameter 'espresso'"),
            ((coffee(implied="milk"),), "expects 'on' or 'off'"),
            ((coffee(cups=QemuOptType.STRING),), "What is its type?"),
            ((coffee(described=False),), "What is its type?"),
            ((coffee(merge=False),), "made 2 entries"),
        ],
    ),
    (
        nb01.check_3,
        (nb01.BROKEN,),
        (f"-machine spike,usb=on -m 64M -smp 4,sockets=2,cores=2 {TAIL}",),
        [
            ((f"-machine spike,usb=on -m 64MB {TAIL}",), "Parameter 'size' expects"),
            ((f"-machine spike,usb=on -m 64M -smp 4,sockets=2,cores=3 {TAIL}",), "product of the hierarchy"),
            ((f"-machine spike -m 64M -smp 4,sockets=2 {TAIL}",), "usb"),
            ((f"-machine spike,usb=on -m 64M {TAIL}",), "harts: 1"),
            ((f"-machine spike,usb=on -m 64M -smp 4 {TAIL}",), "sockets: 1"),
            (("-machine spike,usb=on -m 64M -smp 4,sockets=2 -display none",), "character devices: 0"),
        ],
    ),
]
