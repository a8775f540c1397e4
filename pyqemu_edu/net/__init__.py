"""Networks: what a network card's peer on the host is (QEMU net)."""
