#!/usr/bin/python3
"""Sites of several services and NPUs against the naive site of naive_site.py, request by request.

FLUIDBATCH_LONG=1 takes 1,500 random sites instead of 80."""

import bisect
import os
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import naive_server as naive  # noqa: E402
import naive_site  # noqa: E402
from harness import CommandLineTest  # noqa: E402
from random_service import read_networks, rows  # noqa: E402
from random_site import RandomSite  # noqa: E402

RUNS = 1500 if os.environ.get("FLUIDBATCH_LONG") else 80


def given(npus, router):
    """Sends requests where the program has sent them, and holds its draws to what they may be."""
    def route(site, request):
        loads, chosen = [server.in_system() for server in site.servers], npus[request]
        if router == "power_of_two":  # the fewer of two different servers, ties to the lower number
            assert any(k != chosen and (loads[chosen], chosen) < (load, k) for k, load in enumerate(loads)), (request, loads)
        return chosen
    return route


def hangs_on_rounding(site):
    """Whether somebody leaves on the very date of an arrival, but for the last bits: which one comes first is not the rules' to say."""
    arrivals = sorted(site.arrival)
    for date in site.completion:
        if date is not None:
            near = arrivals[bisect.bisect_left(arrivals, date - 1e-12):bisect.bisect_right(arrivals, date + 1e-12)]
            if any(arrival != date for arrival in near):
                return True
    return False


class AgainstNaiveSite(CommandLineTest):
    def agree(self, got, site, names, message):
        """The program's rows and the naive site's, request by request; of dropped ones there is no date."""
        self.assertEqual(len(got), len(site.arrival), message)
        for i, row in enumerate(got):
            where = f"request {i}: {message}"
            self.assertEqual((int(row["request"]), float(row["arrival_s"])), (i, site.arrival[i]), where)
            self.assertEqual(row.get("service", names[0]), names[site.service[i]], where)
            self.assertEqual(int(row.get("npu", 0)), site.npu[i], where)
            self.assertEqual(row["completion_s"] == "", site.dropped[i] is not None, where)
            if site.dropped[i] is None:
                self.assertEqual(int(row["exit"]), site.taken[i], where)
                for column, value in (("start_s", site.began), ("completion_s", site.completion), ("suspended_s", site.suspended)):
                    self.assertAlmostEqual(float(row[column]), value[i], delta=1e-9, msg=f"{column} of {where}")
            else:
                self.assertEqual(int(row["exit"]), site.exit[i], where)
                self.assertAlmostEqual(float(row["queueing_s"]), site.dropped[i] - site.arrival[i], delta=1e-9, msg=where)

    def hold_invariants(self, got, random_site, message):
        """What holds whatever the rules: nobody lost, and on each NPU the stays of two services are apart, or one inside the other."""
        self.assertEqual([int(row["request"]) for row in got], list(range(len(got))), message)
        for device, (service, sent) in enumerate(random_site.groups):
            mine = [row for row in got if int(row["device"]) == device]
            self.assertEqual([float(row["sent_s"]) for row in mine], [date for date, _ in sent], message)
            name = random_site.services[service].name
            self.assertEqual({row.get("service", name) for row in mine}, {name} if sent else set(), message)
        for npu in range(len(random_site.npus)):
            stays = [(float(row["start_s"]), float(row["completion_s"]), row.get("service")) for row in got
                     if int(row.get("npu", 0)) == npu and row["completion_s"]]
            for begin, end, service in stays:
                for other_begin, other_end, other in stays:
                    if other != service and begin < other_begin < end - 1e-9:
                        self.assertTrue(random_site.preemptive and other_end < end + 1e-9, (message, begin, other_begin))

    def test_random_sites(self):
        rng = random.Random(20)
        networks = read_networks(self)
        seen = dict.fromkeys(("parked", "suspended", "dropped", "early", "second NPU"), 0)
        skipped = 0
        for run in range(RUNS):
            random_site = RandomSite(rng, networks, 300)
            message = f"run {run}:\n{random_site.yaml()}"
            random_site.write(self)
            self.succeed("run", "c.yaml", "--out", "out")
            got = rows((self.folder / "out/x/requests.csv").read_text())
            draws = random_site.router in ("random", "power_of_two")
            site = random_site.naive(got, given([int(row.get("npu", 0)) for row in got], random_site.router) if draws else None)
            self.hold_invariants(got, random_site, message)
            site.run()
            if hangs_on_rounding(site):
                skipped += 1
                continue
            self.agree(got, site, [service.name for service in random_site.services], message)
            seen["parked"] += site.parkings
            seen["suspended"] += sum(since is not None for since in site.since)
            seen["dropped"] += sum(date is not None for date in site.dropped)
            seen["early"] += sum(e == 0 for e in site.taken)
            seen["second NPU"] += sum(npu > 0 for npu in site.npu)
        self.assertLessEqual(skipped, RUNS / 50)
        for what, count in seen.items():
            self.assertGreater(count, 100, f"{what} hardly occurs: the runs test too little")


def network(*seconds):
    """Layers that take so many seconds at any batch; a segment each, or those of a tuple one segment."""
    segments = [layers if isinstance(layers, tuple) else (layers,) for layers in seconds]
    return naive.Network([{"batch": b, "latency_s": second} for layers in segments for second in layers for b in range(1, 5)],
                         [{"segment": k} for k, layers in enumerate(segments) for _ in layers])


class NaiveSite(unittest.TestCase):
    """The naive site itself, on cases worked by hand. Nobody leaves early."""

    def serve(self, services, sent, fleet=None, policy=None, **options):
        """`services`: (network, Service) each; `sent`: (date, service) each; `fleet`: the networks of each server, by service."""
        networks = [of for of, _ in services]
        servers = [naive_site.Server(mine, [policy(service.slo) if policy else naive.serial() for _, service in services])
                   for mine in fleet or [networks]]
        return naive_site.Site([service for _, service in services], servers,
                               [(date, service, networks[service].segments - 1) for date, service in sent], **options).run()

    def test_the_order_of_each_arbiter(self):
        """At 3 the first request has been served, and two of X (3 s each), two of Y (2 s) and one of Z (1 s) wait."""
        services = [(network(1, 1, 1), naive_site.Service(10.25, 0, 6)), (network(1, 1), naive_site.Service(10, 1)),
                    (network(1), naive_site.Service(9.5))]
        sent = [(0, 0), (0.125, 0), (0.25, 1), (0.5, 2), (0.75, 1), (1, 0)]
        for arbiter, completion in (
                ("oldest_first", [3, 6, 8, 9, 11, 14]),
                ("priority", [3, 10, 5, 11, 7, 14]),  # Y; then X and Z, which tie, by arrival
                ("earliest_deadline", [3, 9, 6, 4, 11, 14]),  # at 10.375, 10.25, 10, 10.75, 11.25
                ("least_slack", [3, 6, 8, 14, 13, 11]),  # 7.375, 8.25, 9, 8.75, 8.25 from 0: the tie goes to who came at 0.25
                ("shortest_first", [3, 11, 6, 4, 8, 14]),
                ("round_robin", [3, 9, 5, 6, 11, 14]),  # X, Y, Z, X, Y, X
                ("fair_share", [3, 9, 5, 6, 14, 12])):  # X has had 3/6 when Y and Z have had 0; Y 2 and X 6/6 at 9
            self.assertEqual(self.serve(services, sent, arbiter=arbiter).completion, completion, arbiter)

    def test_ties(self):
        """Of ranks, whose sums differ by rounding; then of arrivals. Before anybody has been served the first one's turn is first."""
        services = [(network(1), naive_site.Service(0.15)), (network(1), naive_site.Service(0.2)), (network(1), naive_site.Service())]
        sent = [(0, 2), (0.1, 1), (0.15, 0)]
        self.assertGreater(0.1 + 0.2, 0.15 + 0.15)
        self.assertEqual(self.serve(services, sent, arbiter="earliest_deadline").completion, [1, 2, 3])
        for arbiter in ("oldest_first", "priority", "shortest_first", "round_robin", "fair_share"):
            self.assertEqual(self.serve(services, [(0, 2), (0, 1), (0, 0)], arbiter=arbiter).completion, [3, 2, 1], arbiter)

    def test_who_is_pushed_off_waits_for_whom_the_order_puts_before_it(self):
        """At 1 the other one takes over, for 0.25 s and 2 s; one more has come by 3.25, and pushes nobody off."""
        services = [(network(1, 1, 1), naive_site.Service()), (network(1, 1), naive_site.Service(priority=1))]
        options = {"arbiter": "priority", "preemptive": True, "preemption_cost": 0.25}
        site = self.serve(services, [(0, 0), (0.5, 1)], **options)
        self.assertEqual((site.completion, site.suspended, site.parkings), ([5.25, 3.25], [2.25, 0], 1))
        self.assertEqual(site.servers[0].npu_time, [3, 2.25])
        site = self.serve(services, [(0, 0), (0.5, 1), (3, 1)], **options)
        self.assertEqual((site.completion, site.suspended, site.parkings), ([7.25, 3.25, 5.25], [4.25, 0, 0], 1))
        site = self.serve(services, [(0, 0), (0.5, 1), (3.5, 1)], **options)  # at 4.25, the next end of a segment
        self.assertEqual((site.completion, site.suspended, site.parkings), ([7.5, 3.25, 6.5], [4.5, 0, 0], 2))

    def test_parked_last_comes_back_first(self):
        """The second is parked on the first; its fellow of 3 is not strictly before it at 4.5, and before the first at 5.5."""
        services = [(network(1, 1, 1), naive_site.Service()), (network(1, 1), naive_site.Service(priority=1)),
                    (network(1, 1), naive_site.Service(priority=2))]
        site = self.serve(services, [(0, 0), (0.5, 1), (1.5, 2), (3, 1)], arbiter="priority", preemptive=True, preemption_cost=0.25)
        self.assertEqual((site.completion, site.suspended), ([9.5, 5.5, 4.5, 7.5], [6.5, 2.25, 0, 0]))

    def test_strictly_before_all_in_flight(self):
        """A batch of deadlines 10 and 10.5, from 0.5 on; the other service's policy waits for a second request until 1.75."""
        for slo, completion in ((9.5, [3.5, 3.5, 5.5]), (9.25, [3.5, 3.5, 5.5]), (9.0, [5.5, 5.5, 4.5])):
            services = [(network(1, 1, 1), naive_site.Service(10)), (network(1, 1), naive_site.Service(slo))]
            site = self.serve(services, [(0, 0), (0.5, 0), (0.75, 1)], policy=lambda slo: naive.dynamic_batching(2, 1),
                              arbiter="earliest_deadline", preemptive=True)
            self.assertEqual(site.completion, completion, slo)

    def test_those_suspended_count(self):
        """At 3 the second, due at 11.5, runs, and the first, due at 10, is suspended: by 10.75 is not before both, by 9.5 is."""
        for slo, completion in ((8.25, [5, 5, 7]), (7, [7, 7, 5])):
            services = [(network(1, 1, 1), naive_site.Service(10)), (network(1, 1), naive_site.Service(slo))]
            site = self.serve(services, [(0, 0), (1.5, 0), (2.5, 1)], policy=lambda slo: naive.lazy_batching(2, slo),
                              arbiter="earliest_deadline", preemptive=True)
            self.assertEqual(site.completion, completion, slo)

    def test_only_a_segment_ends_in_parking(self):
        services = [(network((1, 1), 1), naive_site.Service()), (network(1, 1), naive_site.Service(priority=1))]
        site = self.serve(services, [(0, 0), (0.5, 1)], arbiter="priority", preemptive=True)
        self.assertEqual(site.completion, [5, 4])

    def test_a_slack_counts_from_the_whole_network(self):
        """At 1 the first has a slack of 9 - 3, 1 s of which has run; the second one of 0.5 + SLO - 1 - 2: 6.5, then 5.5."""
        for slo, completion in ((9, [3, 5]), (8, [5, 3])):
            services = [(network(1, 1, 1), naive_site.Service(10)), (network(1, 1), naive_site.Service(slo))]
            site = self.serve(services, [(0, 0), (0.5, 1)], arbiter="least_slack", preemptive=True)
            self.assertEqual(site.completion, completion, slo)

    def test_a_stack_is_parked_as_a_whole(self):
        """LazyBatching: the second pushes the first off at 2. At 3 both are parked, at 5 the third joins what has come back."""
        services = [(network(1, 1, 1), naive_site.Service()), (network(1, 1), naive_site.Service(priority=1))]
        site = self.serve(services, [(0, 0), (1.5, 0), (2.5, 1), (4.5, 0)], policy=lambda slo: naive.lazy_batching(3, slo),
                          arbiter="priority", preemptive=True)
        self.assertEqual((site.completion, site.suspended), ([8, 8, 5, 8], [5, 3, 0, 0]))

    def test_all_wait_for_the_earliest_date(self):
        """Symphony's wait until 0 + 4 - 2, and until 0.25 + 2 - 1: the second, which is not the first in order, starts there."""
        services = [(network(1, 1), naive_site.Service(4)), (network(1), naive_site.Service(2))]
        site = self.serve(services, [(0, 0), (0.25, 1)], policy=lambda slo: naive_site.deferred_batching(4, slo))
        self.assertEqual((site.began, site.completion), ([2.25, 1.25], [4.25, 2.25]))

    def test_hopeless_heads(self):
        """At 1 the second can't end by 2.75 any more. Under a preemptive arbiter that is seen at once, else when the NPU is idle."""
        services = [(network(1, 1, 1), naive_site.Service()), (network(1, 1), naive_site.Service(2.25, 1))]
        for preemptive, dropped in ((True, 1), (False, 3)):
            site = self.serve(services, [(0, 0), (0.5, 1)], arbiter="priority", preemptive=preemptive, drops_hopeless=True)
            self.assertEqual((site.completion, site.dropped), ([3, None], [None, dropped]))

    def test_a_policy_that_drops_is_asked_anew(self):
        """At 4 Clockwork drops the second request, which is too late; the third is the oldest now, and makes the fourth too late."""
        services = [(network(1, 1, 2), naive_site.Service(20)), (network(1), naive_site.Service(4))]
        site = self.serve(services, [(0, 0), (0.5, 1), (1, 0), (2, 1)], policy=lambda slo: naive_site.clockwork(1, slo))
        self.assertEqual((site.completion, site.dropped), ([4, None, 8, None], [None, 4, None, 8]))

    def test_routers(self):
        """Server 0 takes 2 s and server 1 takes 3 s, in layers of 1 s."""
        fleet, dates = [[network((1, 1))], [network((1, 1, 1))]], (0, 0.5, 1, 2, 2.25)
        for router, npu in (
                ("round_robin", [0, 1, 0, 1, 0]),
                ("join_shortest_queue", [0, 1, 0, 0, 1]),  # at 2 the first has left, and the third is queued
                ("least_work", [0, 1, 0, 0, 1]),  # at 1: 1 and 3, at 2: 2 and 2, since the layers that run count whole
                ("earliest_finish", [0, 1, 0, 0, 1]),  # at 2: 6 and 6.5; at 2.25: 2.25 + 1.75 + 4 and 2.25 + 1.25 + 3
                ("most_loaded_that_fits", [1, 0, 0, 1, 0])):  # 2 and 3 by 3; 2.5 and 6 by 3.5; then none
            services = [(network((1, 1)), naive_site.Service(3))]
            site = self.serve(services, [(date, 0) for date in dates], fleet, router=router)
            self.assertEqual(site.npu, npu, router)
        services = [(network((1, 1)), naive_site.Service(4))]  # 4.5 and 6 by 5, 6.5 and 6 by 6, then none
        site = self.serve(services, [(date, 0) for date in dates], fleet, router="most_loaded_that_fits")
        self.assertEqual(site.npu, [1, 0, 0, 1, 0])

    def test_a_layer_that_runs_counts_whole_as_work_and_in_part_as_time(self):
        """At 1.5 both would be ready at 3, with 3 s and with 2 s of layers that have not ended."""
        for router, npu in (("least_work", [0, 1, 1]), ("earliest_finish", [0, 1, 0])):
            site = self.serve([(network(3), naive_site.Service())], [(0, 0), (0, 0), (1.5, 0)],
                              [[network(3)], [network((1, 1, 1))]], router=router)
            self.assertEqual(site.npu, npu, router)
        for date, npu in ((1 - 5e-10, 1), (1 - 2e-9, 0)):  # with 3 s and 2 s, or 3 s: what ends within 1e-9 s has ended
            site = self.serve([(network(3), naive_site.Service())], [(0, 0), (0, 0), (date, 0)],
                              [[network(3)], [network((1, 1, 1))]], router="least_work")
            self.assertEqual(site.npu, [0, 1, npu], date)

    def test_what_routers_see_of_batches(self):
        """At 1.125 the first is parked with 2 s to go, the second ends at 3.25, and the queues go in batches of two."""
        services = [(network(1, 1, 1), naive_site.Service()), (network(1, 1), naive_site.Service(priority=1))]
        seen = []

        def look(site, request):
            server = site.servers[0]
            seen.append((server.in_system(), server.remaining_work(), server.earliest_finish(request)))
            return 0
        self.serve(services, [(0, 0), (0.5, 1), (1.125, 0), (1.125, 0), (1.125, 0), (1.125, 1)], router=look, arbiter="priority",
                   preemptive=True, preemption_cost=0.25, max_batch=2)
        self.assertEqual(seen, [(0, 0, 3), (1, 3, 0.5 + 2.5 + 2), (2, 4, 1.125 + 2.125 + 2 + 3), (3, 7, 1.125 + 2.125 + 2 + 3),
                                (4, 10, 1.125 + 2.125 + 2 + 6), (5, 13, 1.125 + 2.125 + 2 + 6 + 2)])

    def random_sent(self, rng, services):
        now, sent = 0.0, []
        for _ in range(300):
            now += rng.choice((0, 0.1, rng.expovariate(0.5)))
            sent.append((now, rng.randrange(services)))
        return sent

    def test_one_service_on_one_npu_is_the_naive_server(self):
        rng = random.Random(1)
        of, slo = network(0.7, 0.5, 0.9), 9.3
        for make in (naive.serial, lambda: naive.dynamic_batching(4, 0.6), lambda: naive.lazy_batching(4, slo),
                     lambda: naive.exit_aware(4, slo, [0.3, 0.4])):
            requests = [(date, 0, rng.randrange(3)) for date, _ in self.random_sent(rng, 1)]
            server = naive.Server(of, make(), [date for date, _, _ in requests], [e for _, _, e in requests], hopeless_slo=slo)
            completion = server.run()
            site = naive_site.Site([naive_site.Service(slo)], [naive_site.Server([of], [make()])], requests, drops_hopeless=True).run()
            self.assertEqual((site.completion, site.dropped, site.taken), (completion, server.dropped, server.taken))
            self.assertGreater(sum(date is not None for date in completion), 50)

    def test_equal_services_in_order_of_arrival_are_one(self):
        sent = sorted(self.random_sent(random.Random(2), 3))  # of one date those of the first service come first
        services = [(network(0.7, 0.5), naive_site.Service(9))] * 3
        one = self.serve(services, [(date, 0) for date, _ in sent])
        three = self.serve(services, sent)
        self.assertEqual(three.completion, one.completion)

    def test_an_npu_of_a_fleet_follows_lindley(self):
        """Each of two gets every other arrival, and serves them one by one."""
        sent = self.random_sent(random.Random(3), 1)
        site = self.serve([(network(0.75, 0.5), naive_site.Service())], sent, [[network(0.75, 0.5)]] * 2)
        for npu in range(2):
            free = 0.0
            for request in range(npu, len(sent), 2):
                free = max(free, sent[request][0]) + 1.25
                self.assertAlmostEqual(site.completion[request], free, delta=1e-9)


if __name__ == "__main__":
    unittest.main()
