"""The server for debuggers: gdb's remote serial protocol (QEMU gdbstub/)."""
