"""A small client of the QEMU Machine Protocol (Not in QEMU; the protocol is docs/interop/qmp-spec.txt there)."""

from __future__ import annotations

import json
import socket
from typing import Any


class QmpError(Exception):
    """QEMU's answer was an error; `kind` is its class, such as "GenericError" or "CommandNotFound"."""

    def __init__(self, kind: str, description: str) -> None:
        super().__init__(description)
        self.kind = kind


class QmpClient:
    """One conversation with a QMP server over a connected socket.

    Events that arrive between the answers collect in `events`.
    """

    def __init__(self, connection: socket.socket, timeout: float = 30.0) -> None:
        connection.settimeout(timeout)
        self._connection = connection
        self._lines = connection.makefile("r", encoding="utf-8")
        self.events: list[dict[str, Any]] = []
        self.greeting = self._receive()["QMP"]
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> Any:
        """Run a command and return its answer. Raises QmpError; ConnectionError when QEMU has gone.

        Underscores in argument names become dashes where QMP has them.
        """
        request: dict[str, object] = {"execute": command}
        if arguments:
            request["arguments"] = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._connection.sendall(json.dumps(request).encode() + b"\n")
        return self._answer()

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._connection.close()

    def _answer(self) -> Any:
        while True:
            message = self._receive()
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise QmpError(message["error"]["class"], message["error"]["desc"])
            self.events.append(message)

    def _receive(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise ConnectionError("QEMU closed the QMP connection")
        message: dict[str, Any] = json.loads(line)
        return message
