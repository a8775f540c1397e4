"""Pictures of how QEMU starts, drawn from recordings; `python -m diagrams.build` draws them again."""
