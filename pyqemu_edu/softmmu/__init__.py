"""The machine as a program: options, run state, vCPU threads, memory (QEMU softmmu/)."""
