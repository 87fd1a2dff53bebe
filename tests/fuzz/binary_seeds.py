#!/usr/bin/python3
"""Writes the seeds that no editor can: ONNX models, and results files.

    tests/fuzz/binary_seeds.py build/release/bin/fluidbatch

The files are in git; this says what is in them, and makes them anew where the format of results files has changed.
"""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "cli"))
from onnx_file import block, node, number, tensor_value, two_convolutions, varint, weights  # noqa: E402

INT, INTS, TENSOR, GRAPH = 2, 7, 4, 5  # of AttributeProto.type
INT64 = 7  # of TensorProto.data_type


def attribute(name, kind, *fields):
    return block(5, block(1, name) + b"".join(fields) + number(20, kind))


def integer(name, value):
    return attribute(name, INT, number(3, value))


def integers(name, values):
    return attribute(name, INTS, *(number(8, value) for value in values))


def constant(name, dims, values, raw=None):
    """An initializer of 64-bit integers, as raw bytes where given."""
    data = block(9, raw) if raw is not None else block(7, b"".join(varint(v & (1 << 64) - 1) for v in values))
    return b"".join(number(1, dim) for dim in dims) + number(2, INT64) + data + block(8, name)


def model(nodes, initializers, inputs, outputs):
    graph = (b"".join(block(1, n) for n in nodes) + block(2, "g") + b"".join(block(5, i) for i in initializers) +
             b"".join(block(11, tensor_value(n, d)) for n, d in inputs) +
             b"".join(block(12, tensor_value(n, d)) for n, d in outputs))
    return number(1, 8) + block(7, graph) + block(8, number(2, 13))


IMAGE = [("x", [1, 3, 16, 16])]
CONV = node("Conv", ["x", "w"], "c")
KERNEL = weights("w", [8, 3, 3, 3])


def reshaped(target):
    return model([CONV, node("Reshape", ["c", "s"], "y")], [KERNEL, target], IMAGE, [("y", [1, 1568])])


def branching():
    """Whatever follows an If of a constant condition must not count as constant."""
    branch = block(1, node("Identity", ["c"], "b")) + block(2, "branch") + block(12, tensor_value("b", [1, 8, 14, 14]))
    choice = (block(1, "cond") + block(2, "y") + block(4, "If") + attribute("then_branch", GRAPH, block(6, branch)) +
              attribute("else_branch", GRAPH, block(6, branch)))
    condition = number(2, 9) + block(9, b"\1") + block(8, "cond")
    return model([CONV, choice, node("Conv", ["y", "w2"], "z")], [KERNEL, condition, weights("w2", [4, 8, 3, 3])],
                 IMAGE, [("z", [1, 4, 12, 12])])


def self_concats(count):
    """Each doubles the tensor of shapes: 2^count numbers."""
    nodes, last = [], "s"
    for i in range(count):
        nodes.append(node("Concat", [last, last], f"s{i}") + integer("axis", 0))
        last = f"s{i}"
    return model([CONV, *nodes, node("Reshape", ["c", last], "y")], [KERNEL, constant("s", [1], [1])], IMAGE,
                 [("y", [1])])


ONNX = {
    "two_convolutions": two_convolutions(),
    "reshape": reshaped(constant("s", [2], [1, -1])),
    "reshape_raw": reshaped(constant("s", [2], [], raw=(1).to_bytes(8, "little") + b"\xff" * 8)),
    "raw_data_too_short": reshaped(constant("s", [2], [], raw=b"\1\0\0")),
    "raw_data_of_many": reshaped(constant("s", [1 << 40], [], raw=b"\1" * 8)),
    "raw_data_too_long": reshaped(constant("s", [2], [], raw=b"\1" * 64)),
    "negative_dims": reshaped(constant("s", [-2 & (1 << 64) - 1], [1, -1])),
    "strides_0": model([CONV + integers("strides", [0, 0])], [KERNEL], IMAGE, [("c", [1, 8, 14, 14])]),
    "one_stride": model([CONV + integers("strides", [2])], [KERNEL], IMAGE, [("c", [1, 8, 7, 7])]),
    "negative_pads": model([CONV + integers("pads", [-100 & (1 << 64) - 1] * 4)], [KERNEL], IMAGE,
                           [("c", [1, 8, 7, 7])]),
    "group_0": model([CONV + integer("group", 0)], [KERNEL], IMAGE, [("c", [1, 8, 14, 14])]),
    "attribute_of_another_type": model([CONV + attribute("strides", TENSOR, block(5, constant("t", [2], [1, 1])))],
                                       [KERNEL], IMAGE, [("c", [1, 8, 14, 14])]),
    "attribute_without_a_type": model([CONV + block(5, block(1, "strides") + number(8, 2) + number(8, 2))], [KERNEL],
                                      IMAGE, [("c", [1, 8, 7, 7])]),
    "if_of_a_constant": branching(),
    "self_concats": self_concats(28),
    "itself_as_input": model([node("Relu", ["y"], "y")], [], IMAGE, [("y", [1, 3, 16, 16])]),
    "huge_input": model([CONV], [KERNEL], [("x", [1, 3, 1 << 40, 1 << 40])], [("c", [1, 8, 1 << 40, 1 << 40])]),
}


def small_pages(file):
    connection = sqlite3.connect(file)
    connection.executescript("PRAGMA journal_mode = DELETE; PRAGMA page_size = 512;"
                             "UPDATE runs SET host = 'host', process = 1, started = '', wall_s = 0, processor_s = 0; VACUUM;")
    connection.close()


def edited(file, sql, name):
    out = file.parent / name
    shutil.copy(file, out)
    connection = sqlite3.connect(out)
    connection.executescript(sql)
    connection.close()
    return out


# As of a site, of types that no sweep writes.
PARTS = ("INSERT INTO parts (point, kind, number, name, admitted, saturated, mean_latency_s) "
         "SELECT point, 'service', n, x'00', 1, 0, 'text' FROM points, (SELECT 0 AS n UNION SELECT 1e300);")

ENERGIES = ("energy_per_request_j", "mac_energy_per_request_j", "buffer_energy_per_request_j", "dram_energy_per_request_j",
            "static_energy_per_request_j", "average_power_w", "energy_delay_product_js")
NO_VIEWS = "DROP VIEW results; DROP VIEW part_results;"


def without_columns(table, columns):
    return "".join(f"ALTER TABLE {table} DROP COLUMN {column};" for column in columns)


# As before there was energy, and before there were sites.
FORMAT_5 = (NO_VIEWS + without_columns("points", ENERGIES) + without_columns("parts", ENERGIES)
            + "UPDATE sweep SET value = '5' WHERE key = 'format';")
FORMAT_4 = (NO_VIEWS + "DROP TABLE parts;" + without_columns("points", ("antt", "stp", "fairness", *ENERGIES))
            + "UPDATE sweep SET value = '4' WHERE key = 'format';")


def results(program, folder):
    """Of the sweep in fixtures/, and what others may have made of it."""
    good = folder / "good.sqlite"
    shutil.copytree(FOLDER / "fixtures", folder / "fixtures")
    subprocess.run([program, "sweep", folder / "fixtures/sweep.yaml", "--out", good], check=True, capture_output=True)
    small_pages(good)
    foreign = folder / "of_another_program.sqlite"
    connection = sqlite3.connect(foreign)
    connection.executescript("PRAGMA page_size = 512; CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x');")
    connection.close()
    trigger = "CREATE TRIGGER t AFTER INSERT ON points BEGIN DELETE FROM points; END;"
    hidden = ("PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'CREATE TABLE points (point INTEGER); "
              "ATTACH ''owned.sqlite'' AS owned; CREATE TABLE owned.points (point INTEGER)' WHERE name = 'points';")
    return [good, foreign, edited(good, trigger, "trigger.sqlite"), edited(good, hidden, "more_sql_in_the_schema.sqlite"),
            edited(good, "DROP VIEW results; CREATE VIEW results AS SELECT * FROM results;", "view_of_itself.sqlite"),
            edited(good, "UPDATE points SET mean_latency_s = 'text', saturated = x'00', seed = 1e300;", "types.sqlite"),
            edited(good, "UPDATE sweep SET value = ',' WHERE key = 'sweep';", "identity.sqlite"),
            edited(good, "DELETE FROM settings;", "no_settings.sqlite"),
            edited(good, "UPDATE sweep SET value = value || 'measure: {kind: tail, quantiles: [0.9, 0.99]}' WHERE key = 'sweep';",
                   "tail_columns_missing.sqlite"),
            edited(good, PARTS, "parts.sqlite"), edited(good, FORMAT_4, "format_4.sqlite"),
            edited(good, FORMAT_5, "format_5.sqlite"),
            edited(good, "PRAGMA journal_mode = WAL;", "wal.sqlite")]


def main():
    for name, content in ONNX.items():
        (FOLDER / "seeds/onnx" / f"{name}.onnx").write_bytes(content)
    folder = Path(tempfile.gettempdir()) / "fluidbatch-seeds"  # results files hold the paths of their inputs
    folder.mkdir()
    try:
        for file in results(sys.argv[1], folder):
            shutil.copy(file, FOLDER / "seeds/results" / file.name)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
