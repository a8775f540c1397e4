"""The QEMU object model: types, classes, objects and their properties (QEMU qom/)."""
