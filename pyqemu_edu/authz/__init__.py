"""Who may do what (QEMU authz/)."""
