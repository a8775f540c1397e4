"""The exercises at the end of each notebook, and what checks them (Not in QEMU).

A check tells what was observed and which rule it breaks; it never gives the answer away.

    from pyqemu_edu.lab import nb04
    nb04.check_1(my_type_initialize)
"""
