"""Runs inside gdb: notes how a real QEMU boots, in the order in which it happens.

    gdb -q -batch -ex 'python OUTPUT = "boot.txt"' -x tests/record/boot.py --args \
        qemu-system-riscv64 -machine spike -smp 2 -bios none -S -display none -nodefaults -monitor stdio -serial null

The monitor is told to quit. One line is written for each event:

    REGMOD n                                  register_module_init for init type n, before main
    MODCALL n CALLER                          module_call_init, and from where
    TYPENEW name PARENT name isz csz abs      type_new; sizes as the TypeInfo states them
    TYPEINIT / BASEINIT a FOR b / CLASSINIT   type_initialize: entered, class_base_init called, place of class_init
    OBJINIT type#n size                       object_initialize_with_type; objects of a type are counted from 0
    INSTINIT type obj / POSTINIT type obj     an instance_init or instance_post_init is called
    CALL function arguments Tn                one of FUNCTIONS, on thread n (1 is main)
    EXIT status

The binary exports most functions to its modules; the few static ones are given by address, which holds for one build.
"""

import re
import subprocess

import gdb

BUILD_ID = "72f7488c3201492c3c60104aac47cceb64e22c5d"

# Instructions in static functions (QEMU qom/object.c); where hooks are called, the registers with TypeImpl and object
TYPE_NEW = 0x79BF80
TYPE_INITIALIZE = 0x79C1B0
CLASS_BASE_INIT = 0x79C46B
CLASS_INIT = 0x79C47D
OBJECT_INITIALIZE_WITH_TYPE = 0x79D900
INSTANCE_INIT = {
    0x79C7AA: ("r14", "r12"),
    0x79C7B8: ("r13", "r12"),
    0x79C7C6: ("rbp", "r12"),
    0x79C7D1: ("rbx", "r12"),
    0x79DA54: ("r13", "rbp"),
    0x79DA63: ("r12", "rbp"),
    0x79DA71: ("rbx", "rbp"),
}
INSTANCE_POST_INIT = {0x79DA8F: ("rbx", "rbp")}

# The functions to note, and which of their arguments: o an object (left out if it is none), c a class, s a string,
# i a number, x an address in the guest, - nothing.
FUNCTIONS = {
    name: arguments
    for arguments, names in {
        "": """
            accel_init_interfaces accel_init_machine configure_icount cpu_class_init_props cpu_exec_init_all
            cpus_register_accel create_device_tree htif_mm_init machine_run_board_init
            object_set_accelerator_compat_props object_set_machine_compat_props page_init page_size_init
            qdev_machine_creation_done qemu_init qemu_init_cpu_list qemu_init_cpu_loop qemu_init_subsystems
            qemu_main_loop qemu_register_reset qemu_system_reset qmp_cont qmp_x_exit_preconfig resume_all_vcpus
            riscv_aclint_mtimer_create riscv_aclint_swi_create riscv_find_and_load_firmware riscv_find_firmware
            riscv_load_fdt riscv_load_firmware riscv_load_kernel riscv_setup_rom_reset_vec riscv_translate_init
            rom_check_and_register_reset tb_gen_code tb_link_page tcg_gen_code tcg_init tcg_prologue_init
            tcg_register_thread translator_loop gen_intermediate_code vm_start vmstate_register_with_alias_id
            object_class_foreach object_class_get_list_sorted user_creatable_add_qapi user_creatable_add_type""",
        "o": """
            accel_cpu_instance_init accel_cpu_realizefn cpu_exec cpu_exec_realizefn cpu_list_add cpu_reset
            cpu_thread_signal_created device_cold_reset gdb_register_coprocessor machine_parse_smp_config
            mttcg_start_vcpu_thread numa_complete_configuration qdev_init_gpio_in qdev_realize qemu_init_vcpu
            resettable_reset riscv_cpu_do_interrupt riscv_cpu_register_gdb_regs_for_features rr_start_vcpu_thread
            sysbus_realize sysbus_realize_and_unref tcg_cpu_init_cflags tcg_cpus_exec tcg_exec_realizefn tlb_flush
            tlb_init user_creatable_complete""",
        "i": "module_call_init phase_advance runstate_set",
        "s": "cpu_create object_new qdev_new rom_add_blob",
        "c": "object_new_with_class",
        "-s": "qemu_thread_create",
        "si": "object_class_get_list",
        "ois": "cpu_address_space_init",
        "oso": "object_property_add_child",
        "oxo": "memory_region_add_subregion",
        "-os": "memory_region_init memory_region_init_ram memory_region_init_rom",
        "-o-os": "memory_region_init_io",
        "os-is": "object_initialize_child_internal",
    }.items()
    for name in names.split()
}
ARGUMENT_REGISTERS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")

lines = []
objects = {}  # address: name
counts = {}  # type: how many objects so far


def register(name):
    return int(gdb.parse_and_eval(f"(unsigned long)${name}"))


def memory(address, size=8):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, size).tobytes(), "little")


def string(address):
    return gdb.Value(address).cast(gdb.lookup_type("char").pointer()).string() if address else None


def type_name(type_impl):
    return string(memory(type_impl))


def symbol(address):
    return re.sub(r" in section.*", "", gdb.execute(f"info symbol {address}", to_string=True).strip())


class Note(gdb.Breakpoint):
    """A breakpoint that writes a line and goes on."""

    def __init__(self, address, describe):
        super().__init__(f"*{address}", internal=True)
        self.describe = describe

    def stop(self):
        lines.append(self.describe())
        return False


def register_module_init():
    return f"REGMOD {register('rsi') & 0xFFFFFFFF}"


def module_call_init():
    return f"MODCALL {register('rdi')} {symbol(memory(register('rsp')))}"


def type_new():
    info = register("rdi")
    parent = string(memory(info + 8))
    sizes = f"isz {memory(info + 0x10)} csz {memory(info + 0x40)} abs {memory(info + 0x38, 1)}"
    return f"TYPENEW {string(memory(info))} PARENT {parent} {sizes}"


def type_initialize():
    return f"TYPEINIT {type_name(register('rdi'))}"


def class_base_init():
    return f"BASEINIT {type_name(register('r13'))} FOR {type_name(register('r12'))}"


def class_init():
    impl = register("r12")
    has = "yes" if memory(impl + 0x20) else "-"
    sizes = f"isz {memory(impl + 0x10)} csz {memory(impl + 8)} abs {memory(impl + 0x50, 1)}"
    return f"CLASSINIT {type_name(impl)} fn {has} {sizes}"


def object_initialize_with_type():
    kind = type_name(register("rdx"))
    name = objects[register("rdi")] = f"{kind}#{counts.get(kind, 0)}"
    counts[kind] = counts.get(kind, 0) + 1
    return f"OBJINIT {name} size {register('rsi')}"


def hook(event, type_register, object_register):
    return lambda: f"{event} {type_name(register(type_register))} obj {objects[register(object_register)]}"


def argument(kind, value):
    match kind:
        case "o":
            return objects.get(value)
        case "c":
            return f"class:{type_name(memory(value))}"
        case "s":
            return repr(string(value))
        case "i":
            return str(value & 0xFFFFFFFF)
        case "x":
            return hex(value)
    return None


def call(name, kinds):
    def describe():
        shown = [argument(kind, register(where)) for kind, where in zip(kinds, ARGUMENT_REGISTERS, strict=False)]
        return " ".join(["CALL", name, *filter(None, shown), f"T{gdb.selected_thread().num}"])

    return describe


def given_arguments():
    return re.search(r'"(.*)"', gdb.execute("show args", to_string=True))[1]


def load_address():
    """Where the program begins in memory: the first line of its map."""
    return int(re.search(r"^\s*(0x[0-9a-f]+)", gdb.execute("info proc mappings", to_string=True), re.MULTILINE)[1], 16)


def exported(name):
    """The address of a function, or None if the binary does not export it."""
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)&{name}"))
    except gdb.error:
        return None


def check_build():
    notes = subprocess.run(["readelf", "-n", gdb.current_progspace().filename], capture_output=True, text=True).stdout
    if BUILD_ID not in notes:
        raise gdb.GdbError(f"the static functions' addresses are those of build {BUILD_ID}, not of this program")


def set_breakpoints(base):
    Note(exported("register_module_init"), register_module_init)
    Note(exported("module_call_init"), module_call_init)
    Note(base + TYPE_NEW, type_new)
    Note(base + TYPE_INITIALIZE, type_initialize)
    Note(base + CLASS_BASE_INIT, class_base_init)
    Note(base + CLASS_INIT, class_init)
    Note(base + OBJECT_INITIALIZE_WITH_TYPE, object_initialize_with_type)
    for address, registers in INSTANCE_INIT.items():
        Note(base + address, hook("INSTINIT", *registers))
    for address, registers in INSTANCE_POST_INIT.items():
        Note(base + address, hook("POSTINIT", *registers))
    for name, kinds in FUNCTIONS.items():
        if (address := exported(name)) is not None:
            Note(address, call(name, kinds))


def main(output):
    check_build()
    gdb.execute("set pagination off")
    gdb.execute("set breakpoint pending off")
    gdb.execute("set debuginfod enabled off")
    gdb.execute("handle SIGUSR1 SIGUSR2 nostop noprint pass")
    gdb.events.exited.connect(lambda event: lines.append(f"EXIT {event.exit_code}"))
    gdb.execute(f"starti {given_arguments()} <<< quit", to_string=True)
    set_breakpoints(load_address())
    gdb.execute("continue", to_string=True)
    with open(output, "w") as file:
        file.write("\n".join(lines) + "\n")


main(OUTPUT)  # noqa: F821
