#!/usr/bin/python3
"""Sweeps and capacities of sites: the services and NPUs of each point, and each service by its own SLO."""

import csv
import io
import json
import sqlite3
import sys
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from site_case import NETWORKS, NPUS, SiteTest  # noqa: E402

SWEEP = """\
base: site.yaml
axes:
  grid: {workload.devices.door.arrivals.rho: [0.1, 0.2], systems.one.arbiter.name: [priority, least_slack]}
  zip: {services.faces.slo.latency_ms: [20, 30], services.plates.slo.unloaded_multiple: [2, 4]}
replications: 2
"""
ENERGIES = ("energy_per_request_j", "mac_energy_per_request_j", "buffer_energy_per_request_j", "dram_energy_per_request_j",
            "static_energy_per_request_j", "average_power_w", "energy_delay_product_js")


class Sweeps(SiteTest):
    def setUp(self):
        super().setUp()
        self.write("s.yaml", SWEEP)
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite", "--set", "requests=400")

    def query(self, sql, name="r.sqlite"):
        with sqlite3.connect(self.folder / name) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(sql)]

    def compare(self, *arguments):
        return list(csv.DictReader(io.StringIO(self.succeed("compare", "r.sqlite", *arguments, "--csv").stdout)))

    def test_parts_are_those_of_the_points_own_runs(self):
        points = self.query("SELECT * FROM points")
        self.assertEqual(len(points), 8 * 2 * 4)
        parts = defaultdict(list)
        for part in self.query("SELECT * FROM parts ORDER BY point, kind, number"):
            parts[part["point"], part["kind"]].append(part)
        names = [name for name in self.summary_of(points[0])["statistics"] if name != "fairness"]
        for point in points[::9]:
            summary = self.summary_of(point)
            self.assertEqual([part["name"] for part in parts[point["point"], "service"]], list(NETWORKS))
            npus = parts[point["point"], "npu"]
            self.assertEqual([part["name"] for part in npus], NPUS[point["system"]] if len(NPUS[point["system"]]) > 1 else [])
            for kind in ("services", "npus"):
                for stored, given in zip(parts[point["point"], kind[:-1]], summary[kind]):
                    self.assertEqual({name: stored[name] for name in names}, {name: given["statistics"][name] for name in names})
                    self.assertEqual((stored["admitted"], bool(stored["saturated"])), (given["admitted"], given["saturated"]))
            self.assertEqual(json.loads(parts[point["point"], "service"][0]["exit_shares"]), summary["services"][0]["exit_shares"])
        # The axes reach what they name.
        self.assertEqual({row["r"] for row in self.query('SELECT DISTINCT "services.faces.slo.latency_ms" AS r FROM part_results')}, {20, 30})
        self.assertIn("name: least_slack", next(p["configuration"] for p in points if p["system"] == "one" and p["setting"] in (2, 3, 6, 7)))

    def summary_of(self, point):
        self.write("point.yaml", point["configuration"])
        self.succeed("run", "point.yaml", "--out", "point")
        return self.summary(point["system"], "point")

    def test_compared_by_service_and_by_npu(self):
        values = defaultdict(list)
        for row in self.query("SELECT * FROM part_results"):
            column = row["name"] if row["kind"] == "service" else f"NPU {row['number']}"
            key = (row["system"], *(str(row[axis]) for axis in ("systems.one.arbiter.name", "workload.devices.door.arrivals.rho")))
            values[(*key, row["services.faces.slo.latency_ms"], column)].append(row["slo_violation_rate"])
        for by, count in (("service", 8 * 4 * 3), ("npu", 8 * 2 * 2)):
            rows = self.compare("--by", by, "--metric", "slo_violation_rate")
            self.assertEqual(len(rows), count)
            for row in rows:
                key = (row["system"], row["systems.one.arbiter.name"], row["workload.devices.door.arrivals.rho"],
                       float(row["services.faces.slo.latency_ms"]), row[by])
                self.assertAlmostEqual(float(row["mean"]), sum(values[key]) / 2, places=12)
                self.assertEqual(row["best"], "0")
        text = self.succeed("compare", "r.sqlite", "--by", "service", "--base", "other", "--metric", "mean_latency_s").stdout
        self.assertIn("ratio to other", text)
        self.assertIn("fairness: not defined at any point: it is of whole sites",
                      self.succeed("compare", "r.sqlite", "--by", "npu", "--metric", "fairness").stdout)
        result = self.call("compare", "r.sqlite", "--by", "services", "--metric", "stp")
        self.assertEqual(result.returncode, 2)
        self.assertIn("(did you mean 'service'?)", result.stderr)

    def test_merged_and_resumed(self):
        everything = "SELECT * FROM parts ORDER BY point, kind, number"
        for part in ("1", "2"):
            self.succeed("sweep", "s.yaml", "--out", f"part{part}.sqlite", "--set", "requests=400", "--shard", part + "/2")
        self.succeed("sweep", "merge", "part1.sqlite", "part2.sqlite", "part1.sqlite", "--out", "all.sqlite")
        self.assertEqual(self.query(everything, "all.sqlite"), self.query(everything))
        with sqlite3.connect(self.folder / "part1.sqlite") as database:
            database.execute("DELETE FROM parts WHERE point = 0 AND number = 2")
        result = self.call("sweep", "merge", "r.sqlite", "part1.sqlite", "--out", "x.sqlite")
        self.assertEqual(result.returncode, 2)
        self.assertIn("point 0 has results here that differ", result.stderr)
        with sqlite3.connect(self.folder / "part2.sqlite") as database:
            database.execute("UPDATE points SET status = 'failed' WHERE point < 20")
        self.succeed("sweep", "s.yaml", "--out", "part2.sqlite", "--set", "requests=400", "--shard", "2/2", "--resume")
        where = everything.replace("ORDER", "WHERE point IN (SELECT point FROM points) ORDER")
        whole = {(row["point"], row["kind"], row["number"]): row for row in self.query(everything)}
        again = self.query(where, "part2.sqlite")
        self.assertGreater(len(again), 50)
        self.assertTrue(all(whole[row["point"], row["kind"], row["number"]] == row for row in again))

    def test_files_of_the_formats_before_can_still_be_compared(self):
        asked = ("--metric", "mean_latency_s", "p99_latency_s")
        new, by_service = self.compare(*asked), self.compare("--by", "service", *asked)
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            for view in ("results", "part_results"):
                database.execute(f"DROP VIEW {view}")
            for table in ("points", "parts"):
                for column in ENERGIES:
                    database.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
            database.execute("UPDATE sweep SET value = '5' WHERE key = 'format'")
        self.assertEqual(self.compare(*asked), new)
        self.assertEqual(self.compare("--by", "service", *asked), by_service)
        self.refuse_all((["compare", "r.sqlite", "--metric", "average_power_w"], "there is no statistic 'average_power_w'"),
                        (["sweep", "s.yaml", "--out", "r.sqlite", "--set", "requests=400", "--resume"],
                         "is of format 5, this program reads format 6"),
                        (["sweep", "merge", "r.sqlite", "--out", "x.sqlite"], "is of format 5, this program reads format 6"))
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.execute("DROP TABLE parts")
            for column in ("antt", "stp", "fairness"):
                database.execute(f"ALTER TABLE points DROP COLUMN {column}")
            database.execute("UPDATE sweep SET value = '4' WHERE key = 'format'")
        self.assertEqual(self.compare(*asked), new)
        self.refuse_all((["compare", "r.sqlite", "--metric", "antt"], "there is no statistic 'antt'"),
                        (["compare", "r.sqlite", "--by", "service", "--metric", "requests"], "has no axis 'service'"),
                        (["sweep", "merge", "r.sqlite", "--out", "x.sqlite"], "is of format 4, this program reads format 6"))
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.execute("UPDATE sweep SET value = '3' WHERE key = 'format'")
        self.refuse_all((["compare", "r.sqlite", *asked], "is of format 3, this program reads formats 4 to 6"))

    def refuse_all(self, *cases):
        for arguments, message in cases:
            result = self.call(*arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn(message, result.stderr)


class Capacities(SiteTest):
    """Each load in a single run, which `run` gives again."""

    ARGUMENTS = ["capacity", "site.yaml", "--most-runs", "1", "--violation-rate", "0.05", "--confidence", "0.9", "--tolerance", "0.2"]

    def probes(self, *arguments):
        rows = list(csv.DictReader(io.StringIO(self.succeed(*self.ARGUMENTS, *arguments, "--csv").stdout)))
        probes = defaultdict(dict)
        for row in rows:
            probes[row["system"], row["probe"]][row["service"]] = row
        return list(probes.values())

    def scaled(self, factors):
        """What --set says, written by hand."""
        yard = 80 / factors["other"]
        return ["--set", f"workload.devices.door.arrivals.rho={0.2 * factors['faces']!r}",
                "--set", f"workload.devices.gate.arrivals.states.0.rho={0.1 * factors['plates']!r}",
                "--set", f"workload.devices.gate.arrivals.states.1.rho={0.5 * factors['plates']!r}",
                "--set", f"workload.devices.yard.arrivals.period_ms={yard!r}"]

    def check(self, key, factors_of, *more):
        probes = self.probes(*more)
        for probe in probes[::3]:
            self.assertEqual(set(probe), set(NETWORKS))
            first = next(iter(probe.values()))
            self.run_site(*self.scaled(factors_of(float(first[key]))))
            for service, row in probe.items():
                mine = [r for r in self.rows(first["system"]) if r["service"] == service]
                self.assertEqual((int(row["requests"]), int(row["late"])), (len(mine), sum(r["slo_met"] == "0" for r in mine)), (key, row))
                # A service with more late than allowed is never said to hold.
                if int(row["late"]) > 0.05 * int(row["requests"]):
                    self.assertNotEqual(first["verdict"], "holds")
        return probes

    def test_all_rates_or_those_of_a_service(self):
        probes = self.check("services", lambda factor: dict.fromkeys(NETWORKS, factor))
        self.assertEqual({verdict for probe in probes for verdict in (next(iter(probe.values()))["verdict"],)} & {"holds", "fails"},
                         {"holds", "fails"})
        self.check("services.faces", lambda factor: {**dict.fromkeys(NETWORKS, 1), "faces": factor}, "--over", "services.faces")

    def test_a_service_without_a_bound_is_not_counted(self):
        probes = self.probes("--set", "services.plates.slo={latency_ms: .inf}")
        self.assertTrue(all(set(probe) == {"faces", "other"} for probe in probes))

    def test_the_table_names_the_service_that_is_late(self):
        text = self.succeed(*self.ARGUMENTS).stdout
        self.assertIn("highest multiple of all rates that was shown, with confidence 0.9,\n"
                      "to have no more than 5.00 % of each service's requests late:\n", text)
        self.assertRegex(text, r"(?m)^serial +[\d.]+ .* (faces|plates|other) ")

    def test_what_has_no_rate(self):
        self.write("t.csv", "arrival_s\n0\n1\n")
        for kind, arrivals in (("trace", "{kind: trace, path: t.csv}"), ("closed_loop", "{kind: closed_loop, think_time_ms: 5}")):
            result = self.call(*self.ARGUMENTS, "--set", "workload.devices.yard.arrivals=" + arrivals)
            self.assertEqual(result.returncode, 2)
            self.assertIn(f"--over services: arrivals of kind '{kind}' have no rate to raise", result.stderr)
        for more, message in ((["--over", "services.doors"], "is not a service of the configuration"),
                              (["--over", "services.faces.priority"], "is not a service of the configuration"),
                              (["--whole"], "--whole: services is raised by a factor")):
            result = self.call(*self.ARGUMENTS, *more)
            self.assertEqual(result.returncode, 2)
            self.assertIn(message, result.stderr)


if __name__ == "__main__":
    unittest.main()
