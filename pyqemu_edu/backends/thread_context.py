"""Where on the host threads shall run that are made in some context (QEMU util/thread-context.c).

Left out: the thread that would make them.  The host is asked whether such a place exists, and asked by a thread that
ends at once.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyqemu_edu.qapi.visitor import Visitor, visit_type_list, visit_type_uint16, visit_type_uint64
from pyqemu_edu.qom.field_properties import struct_defaults, struct_freed
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.error import QemuError

TYPE_THREAD_CONTEXT = "thread-context"


@dataclass(eq=False)
class ThreadContext(Object):
    """The host's CPUs that the user wants; `thread_id` is there once it is complete."""

    init_cpu_bitmap: frozenset[int] = frozenset()
    affinity: frozenset[int] = frozenset()
    thread_id: int = -1


def THREAD_CONTEXT(obj: object) -> ThreadContext:
    """Cast to a context."""
    return object_check(obj, ThreadContext, TYPE_THREAD_CONTEXT)


def visit_numbers(tc: ThreadContext, v: Visitor, name: str, empty: str) -> list[int]:
    """A list of numbers, which must not be empty (Not in QEMU as a function)."""
    if tc.init_cpu_bitmap:
        raise QemuError("Mixing CPU and node affinity not supported")
    numbers = visit_type_list(v, name, [], visit_type_uint16)
    if not numbers:
        raise QemuError(empty)
    return numbers


def take(tc: ThreadContext, cpus: Iterable[int]) -> None:
    """Remember the CPUs, or, once there is a thread, let it move (Not in QEMU as a function)."""
    if tc.thread_id == -1:
        tc.init_cpu_bitmap = frozenset(cpus)
    else:
        qemu_thread_set_affinity(tc, frozenset(cpus))


def qemu_thread_set_affinity(tc: ThreadContext, cpus: frozenset[int]) -> None:
    """Have the host say whether a thread may run there (QEMU util/qemu-thread-posix.c)."""
    refused: list[OSError] = []

    def thread_context_run() -> None:
        try:
            os.sched_setaffinity(0, cpus)
            tc.affinity = frozenset(os.sched_getaffinity(0))
        except OSError as error:
            refused.append(error)

    thread = threading.Thread(target=thread_context_run)
    thread.start()
    thread.join()
    if refused:
        raise QemuError(f"Setting CPU affinity failed: {refused[0].strerror}")


def thread_context_set_cpu_affinity(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `cpu-affinity`: the host's CPUs by number."""
    tc = THREAD_CONTEXT(obj)
    take(tc, visit_numbers(tc, v, name, "CPU list is empty"))


def thread_context_get_cpu_affinity(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `cpu-affinity`."""
    tc = THREAD_CONTEXT(obj)
    if tc.thread_id == -1:
        raise QemuError("Object not initialized yet")
    visit_type_list(v, name, sorted(tc.affinity), visit_type_uint16)


def thread_context_set_node_affinity(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `node-affinity`: the host's CPUs by the NUMA nodes that they are in."""
    tc = THREAD_CONTEXT(obj)
    nodes = visit_numbers(tc, v, name, "Node list is empty")
    cpus = {cpu for node in nodes for cpu in numa_node_to_cpus(node)}
    if not cpus:
        raise QemuError("The nodes select no CPUs")
    take(tc, cpus)


def numa_node_to_cpus(node: int) -> list[int]:
    """The host's CPUs in a node, none if there is no such node (libnuma)."""
    path = Path(f"/sys/devices/system/node/node{node}/cpulist")
    text = path.read_text() if path.exists() else ""
    ranges = re.findall(r"(\d+)(?:-(\d+))?", text)
    return [cpu for first, last in ranges for cpu in range(int(first), int(last or first) + 1)]


def thread_context_get_thread_id(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `thread-id`."""
    visit_type_uint64(v, name, THREAD_CONTEXT(obj).thread_id & 0xFFFFFFFFFFFFFFFF)


def thread_context_instance_complete(uc: Object) -> None:
    """Ask the host for the place."""
    tc = THREAD_CONTEXT(uc)
    tc.thread_id = threading.get_native_id()
    qemu_thread_set_affinity(tc, tc.init_cpu_bitmap or frozenset(os.sched_getaffinity(0)))
    tc.init_cpu_bitmap = frozenset()


def thread_context_class_init(oc: ObjectClass) -> None:
    """How the interface is implemented, and the properties."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = thread_context_instance_complete
    object_class_property_add(oc, "thread-id", "int", thread_context_get_thread_id)
    object_class_property_add(
        oc, "cpu-affinity", "int", thread_context_get_cpu_affinity, thread_context_set_cpu_affinity
    )
    object_class_property_add(oc, "node-affinity", "int", None, thread_context_set_node_affinity)


type_init(
    TypeInfo(
        TYPE_THREAD_CONTEXT,
        parent=TYPE_OBJECT,
        instance_struct=ThreadContext,
        class_init=thread_context_class_init,
        instance_init=struct_defaults,
        instance_finalize=struct_freed,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
