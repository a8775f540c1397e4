"""GLib's hash table against what GLib did, recorded through QEMU."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pyqemu_edu.util.ghash import GHashTable, g_str_hash

DATA = Path(__file__).parent / "data"


def test_the_hash_is_bernsteins_over_signed_bytes():
    """`g_str_hash("a")` is 5381 * 33 + 97; a byte above 127 counts as negative."""
    assert g_str_hash("a") == 5381 * 33 + 97
    assert g_str_hash("\x80") == ((5381 * 33 - 62) * 33 - 128) & 0xFFFFFFFF  # 0xc2 0x80


def test_591_types_come_out_in_the_order_in_which_qemu_met_them():
    table: GHashTable[int] = GHashTable()
    for number, record in enumerate(json.loads((DATA / "typeinfos_registration_order.json").read_text())):
        table[record["name"]] = number
    assert list(table) == json.loads((DATA / "type_table_iteration_order.json").read_text())


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([f"key{n}" for n in range(40)]))))
def test_it_holds_what_a_dict_holds(steps):
    table: GHashTable[str] = GHashTable()
    plain: dict[str, str] = {}
    for insert, key in steps:
        if insert:
            table[key] = plain[key] = key.upper()
        elif key in plain:
            del table[key], plain[key]
    assert dict(table) == plain
    assert len(table) == len(plain)


def test_removal_through_an_iterator_leaves_the_others_where_they_are():
    table: GHashTable[int] = GHashTable()
    for n in range(20):
        table[f"k{n}"] = n
    order = list(table)
    for key in order[:18]:
        table.iter_remove(key)
    assert list(table) == order[18:]
