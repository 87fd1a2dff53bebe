"""Random sites: their configuration for the program, and the naive site of naive_site.py that it is held against."""

import itertools

import naive_site
from random_service import MODES, NETWORKS, NPUS, RandomService, random_policy

NAMES = ("faces", "plates", "signs")
FLEETS = ((1,), (1,), (2,), (1, 1), (3,), (1, 2), (1, 1, 1))  # how many of each kind of NPU


class RandomSite:
    """One to three services on one to three NPUs. Over an uplink the dates of arrival are taken from the program."""

    def __init__(self, rng, networks, requests):
        self.networks = networks
        self.fleet = rng.choice(FLEETS)
        kinds = [(rng.choice(NPUS), rng.choice(MODES)) for _ in self.fleet]
        self.npus = [kind for kind, count in zip(kinds, self.fleet) for _ in range(count)]
        names = rng.sample(NAMES, rng.choice((1, 2, 3, 3)))
        rho, digits = rng.choice((0.5, 1.0, 1.5, 3.0)), rng.choice((5, 5, 9))
        self.services = []
        for name in names:
            network = rng.choice(tuple(NETWORKS))
            models = [networks[network, npu, mode] for npu, mode in self.npus]
            gap = 2 * len(names) / sum(rho / model.remaining(0) for model in models)  # of bursts, of two on average
            self.services.append(RandomService(rng, name, network, models[0], gap, digits, requests // len(names)))
        self.policy, self.max_batch, self.make_policy = random_policy(rng)
        self.is_plain = len(names) == 1 and len(self.npus) == 1  # its configuration names neither services nor fleet
        self.arbiter = "oldest_first" if len(names) == 1 else rng.choice((*naive_site.ARBITERS, *2 * naive_site.PREEMPTIVE))
        self.preemptive = self.arbiter in naive_site.PREEMPTIVE and rng.random() < 0.9
        self.router = "round_robin" if len(self.npus) == 1 else rng.choice((*naive_site.ROUTERS, "random", "power_of_two"))
        self.preemption_cost, self.drops = rng.choice((0, 0, 0.0001)), rng.random() < 0.25
        self.groups = [[service, []] for service in range(len(names)) for _ in range(self.services[service].groups)]
        rng.shuffle(self.groups)
        for number, service in enumerate(self.services):
            mine = [sent for of, sent in self.groups if of == number]
            for request in service.sent:
                rng.choice(mine).append(request)
        self.uplink, self.answer_s = None, rng.choice((0, 0.0001))
        if rng.random() < 0.25:
            self.uplink = self.random_uplink(rng)
            for service in self.services:  # the others want a queue in order of deadlines
                service.is_end_to_end = not self.policy.startswith(("{name: edf", "{name: clockwork")) and rng.random() < 0.7

    def random_uplink(self, rng):
        """Its YAML. Its access point could carry three times as much as is sent on average."""
        requests, last = sum(len(sent) for _, sent in self.groups), max(sent[-1][0] for _, sent in self.groups if sent)
        return (f"{{model: analytic, sample_bytes: 2000, access_point_bandwidth_bytes_per_s: {6000 * requests / last!r}, "
                f"latency_ms: 0.05, answer_latency_ms: {self.answer_s * 1000!r}}}")

    def in_order_of_sending(self):
        """(date, device, place in the device's trace) of all requests."""
        return sorted((date, device, place) for device, (_, sent) in enumerate(self.groups) for place, (date, _) in enumerate(sent))

    def yaml(self):
        devices = "".join(f"    - {{{'' if self.is_plain else f'service: {self.services[service].name}, '}"
                          f"arrivals: {{kind: trace, path: group_{number}.csv, origin: 0}}}}\n"
                          for number, (service, _) in enumerate(self.groups))
        only = self.services[0]
        head = (f"network: {only.network}\nslo: {only.slo_yaml()}\n" if self.is_plain else
                "services:\n" + "".join(f"  - {service.yaml()}\n" for service in self.services))
        return (f"{head}workload:\n" + (f"  uplink: {self.uplink}\n" if self.uplink else "") + f"  devices:\n{devices}"
                + (f"  exits: {only.exits()}\n" if self.is_plain else "") + f"systems:\n  - {{label: x, {self.system()}}}\n")

    def system(self):
        text = f"policy: {self.policy}, preemption_cost_s: {self.preemption_cost}" + (", drop: hopeless" if self.drops else "")
        if self.is_plain:
            text += self.services[0].control()
        elif len(self.services) > 1:
            text += f", arbiter: {{name: {self.arbiter}" + (", preemptive: true}" if self.preemptive else "}")
        if len(self.npus) == 1:
            return text + f", npu: {self.npus[0][0]}, npu_mode: {self.npus[0][1]}"
        firsts = [sum(self.fleet[:k]) for k in range(len(self.fleet))]
        npus = ", ".join(f"{{npu: {npu}, npu_mode: {mode}, count: {count}}}"
                         for (npu, mode), count in zip((self.npus[first] for first in firsts), self.fleet))
        return text + f", npus: [{npus}], router: {{name: {self.router}}}"

    def write(self, test):
        """The configuration and all that it reads, into the folder of a test."""
        for number, (service, sent) in enumerate(self.groups):
            exits = self.services[service].kind == "trace"
            test.write(f"group_{number}.csv", ("arrival_s,exit\n" if exits else "arrival_s\n")
                       + "".join(f"{date!r},{e}\n" if exits else f"{date!r}\n" for date, e in sent))
        for service in self.services:
            if service.kind == "list":
                exits = [self.groups[device][1][place][1] for _, device, place in self.in_order_of_sending()
                         if self.services[self.groups[device][0]] is service]
                test.write(f"{service.name}.csv", "exit\n" + "".join(f"{e}\n" for e in exits))
            if service.confidences:
                test.write(f"{service.name}.csv", service.confidences.csv())
        test.write("c.yaml", self.yaml())

    def in_order_of_arrival(self, got):
        """(date, device, place in the device's trace) of all requests; over an uplink by the program's dates and devices."""
        if self.uplink is None:
            return self.in_order_of_sending()
        places = [itertools.count() for _ in self.groups]
        return [(float(row["arrival_s"]), int(row["device"]), next(places[int(row["device"])])) for row in got]

    def naive(self, got, router=None):
        """The naive site. The program's rows say which of its service's confidences a request is, and what the uplink has made of
        dates. With a `router` in place of its own.
        """
        samples, requests, started = [int(row.get("sample") or -1) for row in got], [], []
        for (arrival, device, place), sample in zip(self.in_order_of_arrival(got), samples):
            number, sent = self.groups[device]
            service, (date, e) = self.services[number], sent[place]
            requests.append((arrival, number, service.exit_of(e, sample)))
            started.append(date if service.is_end_to_end else arrival)
        servers = [self.server(npu, mode, samples) for npu, mode in self.npus]
        return naive_site.Site([naive_site.Service(self.server_slo(service), service.priority, service.weight)
                                for service in self.services], servers, requests, self.arbiter, self.preemptive,
                               router or self.router, self.preemption_cost, self.drops, self.max_batch, started)

    def server_slo(self, service):
        return service.slo - (self.answer_s if service.is_end_to_end else 0)

    def server(self, npu, mode, samples):
        """One NPU; policies and controls of exits are each server's own."""
        return naive_site.Server(
            [self.networks[service.network, npu, mode] for service in self.services],
            [self.make_policy(self.server_slo(service), service.rates()) for service in self.services],
            [service.confidences and service.confidences.naive_control(samples, self.server_slo(service))
             for service in self.services])
