#!/usr/bin/python3
"""What a run shows of a site, against what its requests.csv says: statistics by service and by NPU, tables, the timeline."""

import json
import math
import re
import sys
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from site_case import MODES, NETWORKS, NPUS, SITE, SiteTest  # noqa: E402


def nearest_rank(values, share):
    return sorted(values)[max(0, math.ceil(share * len(values) - 1e-9) - 1)]


class Statistics(SiteTest):
    def recomputed(self, rows, window_s, npus, alone_s):
        """By name, of rows that are measured; `alone_s` of a row."""
        served = [row for row in rows if row["start_s"]]
        latencies = [float(row["latency_s"]) for row in served]
        mean = lambda values: sum(values) / len(values)  # noqa: E731
        statistics = {
            "requests": len(rows),
            "drop_rate": 1 - len(served) / len(rows),
            "mean_latency_s": mean(latencies),
            "p50_latency_s": nearest_rank(latencies, 0.5),
            "p99_latency_s": nearest_rank(latencies, 0.99),
            "max_latency_s": max(latencies),
            "slo_violation_rate": mean([row["slo_met"] == "0" for row in rows]),
            "goodput_hz": sum(row["slo_met"] == "1" for row in rows) / window_s,
            "throughput_hz": len(served) / window_s,
            "mean_queueing_s": mean([float(row["queueing_s"]) for row in served]),
            "mean_suspended_s": mean([float(row["suspended_s"]) for row in served]),
            "mean_executing_s": mean([float(row["executing_s"]) for row in served]),
            "antt": mean([latency / alone_s(row) for latency, row in zip(latencies, served)]),
        }
        return statistics, sum(float(row["executing_s"]) for row in served) / window_s / npus

    def check(self, given, expected, where):
        for name, value in expected.items():
            self.assertAlmostEqual(given["statistics"][name], value, delta=1e-9 * max(1, abs(value)), msg=(where, name))

    def progress(self, rows, alone_s):
        served = [row for row in rows if row["start_s"]]
        return sum(alone_s(row) / float(row["latency_s"]) for row in served) / len(served)

    def check_system(self, system, warmup):
        tables = {(service, npu): self.alone_s(network, npu, MODES[system])
                  for service, network in NETWORKS.items() for npu in set(NPUS[system])}

        def alone_s(row):
            return tables[row["service"], NPUS[system][int(row.get("npu", 0))]][int(row["exit"])]

        rows = self.rows(system)
        self.assertEqual([int(row["request"]) for row in rows], list(range(1500)))
        summary = self.summary(system)
        measured = rows[warmup:]
        begin_s = float(measured[0]["arrival_s"])
        window_s = max(float(row["completion_s"] or 0) for row in rows) - begin_s
        npus = len(NPUS[system])
        parts = [(summary, lambda row: True, npus)]
        parts += [(part, lambda row, name=part["name"]: row["service"] == name, npus) for part in summary["services"]]
        parts += [(part, lambda row, n=n: row.get("npu", "0") == str(n), 1) for n, part in enumerate(summary["npus"])]
        busy = []
        for part, is_in, its_npus in parts:
            mine = [row for row in measured if is_in(row)]
            expected, its_busy = self.recomputed(mine, window_s, its_npus, alone_s)
            self.check(part, expected, (system, part.get("name", part["npu"] if "npu" in part else "")))
            self.assertEqual(part["admitted"], sum(is_in(row) for row in rows))
            busy.append((part["statistics"]["busy_fraction"], its_busy))
        # Conservation: everybody is for one service, and on one NPU.
        for kind in ("services", "npus"):
            for count in (lambda part: part["admitted"], lambda part: part["statistics"]["requests"]):
                self.assertEqual(sum(count(part) for part in summary[kind]), count(summary))
        if system in ("serial", "hopeless") and warmup == 0:
            for given, expected in busy:
                self.assertAlmostEqual(given, expected, places=9)
        by_service = [[row for row in measured if row["service"] == part["name"]] for part in summary["services"]]
        for part, mine in zip(summary["services"], by_service):
            self.assertAlmostEqual(part["statistics"]["stp"], self.progress(mine, alone_s), places=9)
            taken = [int(row["exit"]) for row in mine if row["start_s"]]
            for exit, share in enumerate(part["exit_shares"]):
                self.assertAlmostEqual(share, taken.count(exit) / len(taken), places=12)
        self.assertAlmostEqual(summary["statistics"]["stp"], sum(self.progress(mine, alone_s) for mine in by_service), places=8)
        slowdowns = [part["statistics"]["antt"] for part in summary["services"]]
        fairness = sum(slowdowns) ** 2 / (3 * sum(value * value for value in slowdowns))
        self.assertAlmostEqual(summary["statistics"]["fairness"], fairness, places=12)

    def test_all_and_parts_are_what_the_requests_say(self):
        for warmup in (0, 100):
            self.run_site("--set", f"warmup_requests={warmup}")
            for system in NPUS:
                with self.subTest(system=system, warmup=warmup):
                    self.check_system(system, warmup)
        self.assertGreater(self.summary("hopeless")["statistics"]["drop_rate"], 0)

    def test_keys_of_one_network_are_in_the_services(self):
        self.run_site()
        summary = self.summary("two")
        for key in ("network", "slo_s", "slo_measured", "reference_latency_s", "single_sample_latency_s", "exit_shares", "segment_batches"):
            self.assertNotIn(key, summary)
        self.assertEqual((summary["arbiter"], summary["preemptive"], summary["router"]), ("earliest_deadline", True, "least_work"))
        faces, plates, other = summary["services"]
        self.assertEqual([part["network"] for part in (faces, plates, other)], list(NETWORKS.values()))
        self.assertEqual((faces["slo_s"], other["slo_s"]), (0.03, 0.04))
        self.assertAlmostEqual(plates["slo_s"], 2 * self.alone_s("ee_resnet50", "zu7ev_large", "r")[-1], places=12)
        self.assertNotIn("single_sample_latency_s", faces)  # which differs from NPU to NPU
        self.assertAlmostEqual(self.summary("serial")["services"][0]["single_sample_latency_s"], faces["reference_latency_s"], places=12)
        for npu, part in zip(NPUS["two"], summary["npus"]):
            self.assertEqual((part["npu"], part["npu_mode"]), (npu, "r"))
            for network, latency_s in zip(NETWORKS.values(), part["single_sample_latencies_s"]):
                self.assertAlmostEqual(latency_s, self.alone_s(network, npu, "r")[-1], places=12)
        self.assertNotIn("fairness", summary["npus"][0]["statistics"])
        one = self.summary("one")
        self.assertEqual(one["npus"][0]["statistics"], one["statistics"])
        self.assertNotIn("router", one)
        self.assertIn("replacing those of an earlier run", self.run_site())

    def test_tables(self):
        text = self.run_site()
        head, *tables = [block.splitlines() for block in text.split("\n\n")]
        self.assertEqual(sum(line.startswith("service ") for line in head), 3)
        self.assertLessEqual(max(len(line) for table in (head, *tables[:5]) for line in table), 80)
        cells = {}  # the row that a first cell has in a table, under a service where there is one
        service = ""
        of_all, of_load, turnarounds, services, of_npus = tables[:5]
        self.assertEqual([len(of_all), len(of_load)], 2 * [1 + len(NPUS)])
        for line in turnarounds[1:]:
            cells["all", line.split()[0]] = re.split(r"  +", line)
        for line in services[1:]:
            if line.startswith("  "):
                row = re.split(r"  +", line.strip().replace(" *", ""))
                cells[service, row[0]] = row
            else:
                service = line
        for line in of_npus[1:5]:
            row = re.split(r"  +", line)
            cells["NPU " + row[1], row[0]] = row
        for system in NPUS:
            summary = self.summary(system)
            for cell, name in zip(cells["all", system][1:], ("antt", "stp", "fairness")):
                self.assertAlmostEqual(float(cell), summary["statistics"][name], delta=1e-3 * summary["statistics"][name])
            for part in summary["services"]:
                row = cells[part["name"], system]
                statistics = part["statistics"]
                self.assertEqual(row[2], "-")  # no bounds were asked for
                for cell, value in zip(row[1:2] + row[3:], (
                        statistics["mean_latency_s"] * 1000, statistics["antt"], statistics["p99_latency_s"] * 1000,
                        statistics["slo_violation_rate"] * 100, statistics["throughput_hz"], statistics["mean_batch"],
                        statistics["drop_rate"] * 100)):
                    self.assertAlmostEqual(float(cell), value, delta=0.006 * value)
            for n, part in enumerate(summary["npus"] if len(NPUS[system]) > 1 else []):
                row = cells[f"NPU {n}", system]
                self.assertEqual(row[2], part["npu"])
                for cell, name, unit in zip(row[3:], ("mean_latency_s", "slo_violation_rate", "throughput_hz", "busy_fraction", "mean_batch"),
                                            (1000, 100, 1, 100, 1)):
                    value = part["statistics"][name] * unit
                    self.assertAlmostEqual(float(cell), value, delta=0.006 * value)

    def test_one_service_on_two_npus(self):
        config = SITE.replace(re.search(r"services:\n(.*\n){3}", SITE).group(), "network: resnet18\nslo: {latency_ms: 30}\n")
        config = re.sub(r"  devices:\n(.*\n){3}", "  arrivals: {kind: poisson, rho: 1.2}\n", config)
        config = config.split("  - {label: one")[0] + "  - {label: serial" + config.split("  - {label: serial")[1]
        self.write("site.yaml", config)
        text = self.run_site()
        self.assertRegex(text, r"(?m)^system +ANTT +STP$")
        self.assertNotIn("fairness", text)
        summary = self.summary("serial")
        self.assertEqual(summary["services"][0]["network"], "resnet18")
        self.assertNotIn("name", summary["services"][0])
        self.assertEqual(summary["services"][0]["statistics"], summary["statistics"])
        self.assertNotIn("fairness", summary["statistics"])
        alone_s = self.alone_s("resnet18", "zu7ev_large", "r")[-1]
        self.assertAlmostEqual(summary["statistics"]["antt"], summary["statistics"]["mean_latency_s"] / alone_s, places=9)


class Timelines(SiteTest):
    def test_tracks_slices_and_counters(self):
        self.run_site("--timeline-requests", "0..49")
        for system, npus in NPUS.items():
            with self.subTest(system=system):
                self.check_system(system, len(npus))
        events = json.loads((self.folder / "out/timeline.json").read_text())["traceEvents"]
        self.assertEqual([(e["pid"], e["args"]["name"]) for e in events if e["name"] == "process_name"],
                         [(n, system) for n, system in enumerate(NPUS, 1)])
        self.assertEqual([(e["pid"], e["args"]["sort_index"]) for e in events if e["name"] == "process_sort_index"],
                         [(n, n - 1) for n in range(1, 5)])
        # Viewers join what has one id, wherever it is.
        of_id = defaultdict(set)
        for event in events:
            if "id" in event:
                number = event["name"].split()[1] if event["name"] != "served" else None
                of_id[event["cat"], event["id"]].add((event["pid"], number))
        for places in of_id.values():
            self.assertEqual(len({pid for pid, _ in places}), 1)
            self.assertEqual(len({number for _, number in places} - {None}), 1)
        self.assertGreaterEqual(len(of_id), 4 * 50)

    def test_a_system_alone_has_the_same_events(self):
        self.run_site("--timeline-requests", "0..49")
        for n, system in enumerate(NPUS):
            self.succeed("run", f"out/{system}/resolved.yaml", "--out", "alone/" + system, "--timeline-requests", "0..49")
            alone = self.timeline(system, "alone/" + system)
            among_others = self.timeline(system)
            self.assertEqual({event.pop("pid") for event in alone}, {1})
            self.assertEqual({event.pop("pid") for event in among_others}, {n + 1})
            self.assertEqual([event.pop("id") for event in among_others if "id" in event],
                             [len(NPUS) * event.pop("id") + n for event in alone if "id" in event])
            for events, index in ((alone, 0), (among_others, n)):
                events.remove({"ph": "M", "name": "process_sort_index", "args": {"sort_index": index}})
            self.assertEqual(among_others, alone)

    def check_system(self, system, npus):
        events = self.timeline(system)
        summary = self.summary(system)
        rows = self.rows(system)
        window_s = max(float(row["completion_s"] or 0) for row in rows) - float(rows[0]["arrival_s"])
        tracks = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
        self.assertEqual(tracks.pop(2 * npus + 1), "requests")
        if npus == 1:
            self.assertEqual(tracks, {1: "NPU", 2: "suspended batches"})
        else:
            self.assertEqual(tracks, {track: name for n, npu in enumerate(NPUS[system])
                                      for track, name in ((2 * n + 1, f"NPU {n} ({npu})"), (2 * n + 2, f"NPU {n}: suspended batches"))})
        slices = defaultdict(list)
        for event in events:
            if event["ph"] == "X":
                slices[event["tid"]].append(event)
        colours = defaultdict(set)
        for n in range(npus):
            on_npu = slices[2 * n + 1]
            for before, after in zip(on_npu, on_npu[1:]):  # one step at a time
                self.assertGreaterEqual(after["ts"], before["ts"] + before["dur"] - 1e-3)
            busy_s = sum(event["dur"] for event in on_npu) / 1e6
            self.assertAlmostEqual(busy_s / window_s, summary["npus"][n]["statistics"]["busy_fraction"], places=7)
            for event in on_npu + slices[2 * n + 2]:
                colours[event["name"].split(":")[0]].add(event["cname"])
        for part in summary["services"]:
            busy_s = sum(e["dur"] for n in range(npus) for e in slices[2 * n + 1] if e["name"].startswith(part["name"] + ": ")) / 1e6
            self.assertAlmostEqual(busy_s / window_s / npus, part["statistics"]["busy_fraction"], places=7)
        self.assertEqual(set(colours), set(NETWORKS))
        self.assertEqual(len(set.union(*colours.values())), 3)  # each has one of its own
        self.check_waiting(system, slices, npus, rows, summary)
        self.check_counters(events, npus)
        self.check_batches(events, slices, npus)
        self.check_arrows(events, slices, rows)

    def check_waiting(self, system, slices, npus, rows, summary):
        parked = 0
        waiting_s = 0
        for n in range(npus):
            open_until = []
            for event in sorted(slices[2 * n + 2], key=lambda e: (e["ts"], -e["dur"])):  # one inside the other, or apart
                while open_until and open_until[-1] <= event["ts"] + 1e-3:
                    open_until.pop()
                if open_until:
                    self.assertLessEqual(event["ts"] + event["dur"], open_until[-1] + 1e-3)
                open_until.append(event["ts"] + event["dur"])
                if " parked before " in event["name"]:
                    parked += 1
                    samples = event["args"]["samples"]
                    self.assertGreater(samples, 0)
                    self.assertIn(f": {samples} parked before ", event["name"])
                    waiting_s += samples * event["dur"] / 1e6
        if system == "two":  # where nothing else is ever suspended
            self.assertEqual(parked, summary["statistics"]["preemptions"])
            self.assertAlmostEqual(waiting_s, sum(float(row["suspended_s"]) for row in rows), places=6)
        self.assertEqual(parked > 0, system in ("one", "two"))

    def check_counters(self, events, npus):
        queues = defaultdict(list)
        for event in events:
            if event["ph"] == "C" and not event["name"].startswith("batch size"):
                queues[event["name"]].append((event["ts"], event["args"]["requests"]))
        of = [f"{name}, NPU {n}" for n in range(npus) for name in NETWORKS] if npus > 1 else list(NETWORKS)
        self.assertEqual(set(queues), {f"queue ({name})" for name in of})
        for values in queues.values():
            self.assertEqual((min(value for _, value in values), values[-1][1]), (0, 0))
            self.assertEqual(values, sorted(values, key=lambda value: value[0]))

    def check_batches(self, events, slices, npus):
        """The counter of an NPU is the batch of the slice under way, and 0 where there is none."""
        for n in range(npus):
            name = f"batch size (NPU {n})" if npus > 1 else "batch size"
            values = [(e["ts"], e["args"]["samples"]) for e in events if e["name"] == name]
            area = sum(value * (after - ts) for (ts, value), (after, _) in zip(values, values[1:]))
            self.assertAlmostEqual(area / sum(e["dur"] * e["args"]["batch"] for e in slices[2 * n + 1]), 1, places=9)
            self.assertEqual(values[-1][1], 0)
            for before, after in zip(values, values[1:]):
                self.assertLessEqual(before[0], after[0])
                self.assertNotEqual(before[1], after[1])

    def check_arrows(self, events, slices, rows):
        arrows = [event for event in events if event.get("cat") == "flow"]
        served = {int(row["request"]) for row in rows[:50] if row["start_s"]}
        ends = defaultdict(list)
        for arrow in arrows:
            at = [i for i, e in enumerate(slices[arrow["tid"]]) if e["ts"] <= arrow["ts"] <= e["ts"] + e["dur"]]
            ends[int(arrow["name"].split()[1])].append((arrow["ph"], at))
        # One for each that is served in more than one slice, from one to another.
        for request, ((first, at_first), (last, at_last)) in ends.items():
            self.assertEqual((first, last), ("s", "f"))
            self.assertNotEqual(at_first, at_last, request)
        for request in served - set(ends):
            row = rows[request]
            begin, end = 1e6 * float(row["start_s"]), 1e6 * float(row["completion_s"])
            middle = [e for e in slices[2 * int(row.get("npu", 0)) + 1] if begin + 1 < e["ts"] + e["dur"] and e["ts"] < end - 1]
            self.assertEqual(len(middle), 1, request)
        self.assertTrue(set(ends) <= served)
        self.assertGreater(len(ends), 0)
        for arrow in arrows:
            row = rows[int(arrow["name"].split()[1])]
            track = 2 * int(row.get("npu", 0)) + 1
            self.assertEqual(arrow["tid"], track)
            at = [e for e in slices[track] if e["ts"] - 1e-3 <= arrow["ts"] <= e["ts"] + e["dur"] + 1e-3]
            self.assertTrue(any(e["name"].startswith(row["service"] + ": ") for e in at), arrow)
        spans = {event["name"] for event in events if event.get("cat") == "request" and event["name"] != "served"}
        self.assertEqual(spans, {f"request {row['request']} ({row['service']}, device {row['device']}, exit {row['exit']})" for row in rows[:50]})


if __name__ == "__main__":
    unittest.main()
