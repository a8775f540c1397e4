"""Pictures of one object's life: how it grew, and who holds it."""

from pathlib import Path

from pyqemu_edu import Qemu
from pyqemu_edu.hw.core.machine import set_current_machine
from pyqemu_edu.qom.klass import object_class_by_name
from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.object import object_new_with_class
from pyqemu_edu.qom.path import object_get_root
from pyqemu_edu.view.growth import ObjectWatch, object_growth
from pyqemu_edu.view.references import holds_among, reference_graph

REFCOUNTS = Path(__file__).parent / "data" / "refcounts_spike_smp2.txt"


def test_a_machine_is_born_without_ram_and_without_a_parent():
    vm = Qemu("-machine spike -display none", types="modelled", stop_before="object_new_with_class")
    with vm.process, ObjectWatch(vm.process, "spike-machine") as watch:
        machine = object_new_with_class(object_class_by_name("spike-machine"))
        watch.stage("into the tree")
        set_current_machine(machine)
        object_property_add_child(object_get_root(), "machine", machine)
    assert [stage for stage, _ in watch.stages] == ["born", "init machine", "init spike-machine", "into the tree"]
    ram, parent, references = ([seen[name] for _, seen in watch.stages] for name in ("ram_size", "parent", "ref"))
    assert ram == ["0", "0x8000000", "0x8000000", "0x8000000"]
    assert parent == ["-", "-", "-", "/"]
    assert references == ["1", "1", "1", "2"]
    figure = object_growth(watch)
    assert "ram_size" in figure.text()
    assert "cpu_type" not in figure.text()


def test_a_watch_leaves_no_listener_behind():
    vm = Qemu("-machine spike -display none", types="modelled", stop_before="object_new_with_class")
    with ObjectWatch(vm.process, "spike-machine") as watch:
        pass
    with vm.process:
        object_new_with_class(object_class_by_name("spike-machine"))
    assert watch.obj is None


def test_references_add_up_to_the_counts_of_the_reference():
    vm = Qemu("-machine spike -smp 2 -display none", record=False)
    paths = ["/", "/machine", "/machine/soc0", "/machine/soc0/harts[0]", "/machine/soc0/harts[1]"]
    paths += ["/machine/unattached", "/machine/unattached/sysbus", "/machine/unattached/system[0]"]
    measured = {
        line.split()[0]: int(line.split("ref=")[1].split()[0])
        for line in REFCOUNTS.read_text().splitlines()
        if " ref=" in line
    }
    objects = {path: vm.qom.object(path) for path in paths}
    words = reference_graph(vm.process, objects).text().splitlines()
    for path, line in zip(paths, words, strict=True):
        assert line.startswith(f"{path}: {measured[path]} = ")
    assert words[3] == "/machine/soc0/harts[0]: 1 = child 'harts[0]' of /machine/soc0"


def test_a_hart_holds_the_memory_that_it_addresses():
    vm = Qemu("-machine spike -display none", record=False)
    hart, memory = vm.qom.object("/machine/soc0/harts[0]"), vm.qom.object("/machine/unattached/system[0]")
    with vm.process:
        (hold,) = holds_among({"hart": hart, "memory": memory})
    assert (hold.holder, hold.kind, hold.held) == ("hart", "strong link", "memory")
