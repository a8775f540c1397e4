"""The block layer: disks, image formats and files (QEMU block/, block.c)."""
