"""Everything a person looks at: pictures, tables and the stepper (Not in QEMU)."""
