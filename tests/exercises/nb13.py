"""Answers to the exercises of notebook 13: what is given, what is right, and mistakes that people make."""

import json

from pyqemu_edu.lab import nb13


def asked(path: str, property: str = "resetvec") -> str:
    return json.dumps({"execute": "qom-get", "arguments": {"path": path, "property": property}})


def registers(line: str) -> str:
    return json.dumps({"execute": "human-monitor-command", "arguments": {"command-line": line}})


def events(lines):
    return [message["event"] for message in map(json.loads, lines) if "event" in message]


def whole_messages(lines):
    return [message for message in map(json.loads, lines) if "event" in message]


def every_second(lines):
    return events(lines)[::2]


def sorted_events(lines):
    return sorted(events(lines))


def differences(ours, theirs):
    def places(tree):
        return {(path, name): value for path, properties in tree.items() for name, value in properties.items()}

    a, b = places(ours), places(theirs)
    return [place for place in a.keys() | b.keys() if place not in a or place not in b or a[place] != b[place]]


def of_values(ours, theirs):
    return [(path, name) for path in ours for name, value in ours[path].items() if theirs[path][name] != value]


def of_objects(ours, theirs):
    return [path for path in ours if ours[path] != theirs[path]]


def stumbling(ours, theirs):
    return [(path, name) for path in theirs for name in theirs[path] if ours[path][name] != theirs[path][name]]


EXERCISES = [
    (
        nb13.check_1,
        ('{"execute": "query-status"}',),
        (asked("/machine/soc0/harts[1]"),),
        [
            ((asked("/machine/soc0/harts[0]"),), "not the second hart"),
            ((asked("/machine/soc0/harts[2]"),), "DeviceNotFound"),
            ((asked("/machine/soc0/harts[1]", "num-harts"),), "not found"),
            ((asked("/machine/soc0/harts[1]", "marchid"),), "resetvec says where"),
            ((registers("info registers"),), "text for people"),
            (("resetvec",), "GenericError"),
        ],
    ),
    (
        nb13.check_2,
        (lambda lines: lines,),
        (events,),
        [
            ((whole_messages,), "whole messages"),
            ((every_second,), "names where QEMU sent"),
            ((sorted_events,), "in another order"),
            ((len,), "gave back int"),
        ],
    ),
    (
        nb13.check_3,
        (lambda ours, theirs: [],),
        (differences,),
        [
            ((of_values,), "one of two"),
            ((of_objects,), "places are named that are equal"),
            ((stumbling,), "stumbled over 'timebase-freq'"),
        ],
    ),
]
