"""The TCG accelerator: guest code is translated block by block (QEMU accel/tcg/)."""
