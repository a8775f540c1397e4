"""Real-time clocks (QEMU hw/rtc)."""
