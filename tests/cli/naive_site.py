"""The rules of a site once more: several services on several NPUs, beside naive_server.py, whose policies serve here too.

One event per layer, plain lists, every question answered by looking at all that there is. A request is its number in the
order of arrival, a service its place in the configuration, a stack a list of [samples, next layer], the active batch last.
"""

import math

import naive_server
from naive_server import TOLERANCE, asked


class Service:
    """`slo` is the server's part of it, from the dates on that Site calls `started`."""

    def __init__(self, slo=math.inf, priority=0, weight=1.0):
        self.slo, self.priority, self.weight = slo, priority, weight


# Arbiters: the rank of a request that could have the NPU; the smaller one goes first.

def fewest_turns_after(server, service):
    """How far it comes in cyclic order after the service that last started a batch; before any has, after the last one."""
    services = len(server.site.services)
    last = services - 1 if server.last_served is None else server.last_served
    return (service - last - 1) % services


ARBITERS = {
    "oldest_first": lambda server, service, request: server.site.arrival[request],
    "priority": lambda server, service, request: -server.site.services[service].priority,
    "earliest_deadline": lambda server, service, request: server.site.deadline(request),
    "least_slack": lambda server, service, request:
        server.site.deadline(request) - server.site.now - server.networks[service].remaining(0),
    "shortest_first": lambda server, service, request: server.networks[service].remaining(0),
    "round_robin": lambda server, service, request: fewest_turns_after(server, service),
    "fair_share": lambda server, service, request: server.npu_time[service] / server.site.services[service].weight,
}
PREEMPTIVE = ("priority", "earliest_deadline", "least_slack")  # those that may be


# Routers: the number of the server that an arriving request goes to.

def lowest(values):
    """Place of the smallest value, of ties the first."""
    return next(k for k, value in enumerate(values) if value <= min(values) + TOLERANCE)


def most_loaded_that_fits(site, request):
    finishes = [server.earliest_finish(request) for server in site.servers]
    fitting = [finish for finish in finishes if finish <= site.deadline(request) + TOLERANCE]
    if not fitting:
        return lowest(finishes)
    return next(k for k, finish in enumerate(finishes) if finish in fitting and finish >= max(fitting) - TOLERANCE)


ROUTERS = {
    "round_robin": lambda site, request: request % len(site.servers),
    "join_shortest_queue": lambda site, request: lowest([server.in_system() for server in site.servers]),
    "least_work": lambda site, request: lowest([server.remaining_work() for server in site.servers]),
    "earliest_finish": lambda site, request: lowest([server.earliest_finish(request) for server in site.servers]),
    "most_loaded_that_fits": most_loaded_that_fits,
}


class View:
    """What a policy or a control of exits is shown of one service on a server; as `arrival` that from which SLOs count."""

    def __init__(self, server, service, stack):
        self.network, self.queue, self.stack = server.networks[service], server.queues[service], stack
        self.now, self.arrival, self.exit = server.site.now, server.site.started, server.site.exit
        self.arrival_at_server = server.site.arrival
        self.someone_left = server.someone_left

    def in_flight(self):
        return sum(len(samples) for samples, _ in self.stack)


class Server:
    """An NPU with its queues. `networks`, `policies` and `controls` (None: exits as drawn) go by service."""

    def __init__(self, networks, policies, controls=None):
        self.networks, self.policies, self.controls = networks, policies, controls or [None] * len(networks)
        self.queues = [[] for _ in networks]
        self.service, self.stack = None, []  # of the active batch and those suspended below it
        self.parked = []  # of (service, stack), parked last at the end
        self.step_end, self.timer, self.cost = math.inf, math.inf, 0.0
        self.npu_time, self.stay_since, self.last_served = [0.0] * len(networks), None, None
        self.someone_left = False
        self.steps = []  # of (service, begin, end, layer, batch); the cost of a preemption is part of the layer that it begins

    # What a router sees of it.

    def stacks(self):
        return self.parked + ([(self.service, self.stack)] if self.stack else [])

    def in_system(self):
        return sum(map(len, self.queues)) + sum(len(samples) for _, stack in self.stacks() for samples, _ in stack)

    def remaining_work(self):
        queued = sum(len(queue) * network.remaining(0) for queue, network in zip(self.queues, self.networks))
        ends_now = self.step_end <= self.site.now + TOLERANCE  # the running layer, which counts as a whole otherwise
        return queued + sum(len(samples)
                            * self.networks[service].remaining(layer + (ends_now and samples is self.stack[-1][0]))
                            for service, stack in self.stacks() for samples, layer in stack)

    def earliest_finish(self, request):
        """When it would answer the request, if its batches met no exit and no other batch."""
        def time(service, layer, batch):
            network = self.networks[service]
            return sum(network.latency[i][batch] for i in range(layer, network.layers))

        finish = self.site.now
        for service, stack in self.stacks():
            for samples, layer in stack:
                if self.step_end < math.inf and samples is self.stack[-1][0]:  # it is in the middle of this layer
                    finish += self.step_end - self.site.now + time(service, layer + 1, len(samples))
                else:
                    finish += time(service, layer, len(samples))
        for service, queue in enumerate(self.queues):
            length = len(queue) + (service == self.site.service[request])
            whole, rest = divmod(length, self.site.max_batch)
            finish += whole * time(service, 0, self.site.max_batch) + (time(service, 0, rest) if rest else 0.0)
        return finish

    # The end of a layer.

    def end_of_layer(self):
        self.step_end = math.inf
        network, batch = self.networks[self.service], self.stack[-1]
        batch[1] += 1
        segment = network.segment[batch[1] - 1]
        if batch[1] == network.first_layer(segment + 1):
            gone = self.leaving(segment, batch[0])
            for i in gone:
                self.site.completion[i], self.site.taken[i] = self.site.now, segment
                self.someone_left = True
            batch[0] = [i for i in batch[0] if i not in gone]
        if not batch[0]:
            self.stack.pop()
            if self.stack:
                self.site.resume(self.stack[-1][0])
        if len(self.stack) >= 2 and self.stack[-1][1] == self.stack[-2][1]:
            top = self.stack.pop()
            self.site.resume(self.stack[-1][0])
            self.stack[-1][0] += top[0]
        if not self.stack:
            self.end_stay()

    def leaving(self, segment, samples):
        control = self.controls[self.service]
        if control is not None:
            return control.leaving(View(self, self.service, self.stack), segment, samples)
        return [i for i in samples if self.site.exit[i] == segment]

    def end_stay(self):
        self.npu_time[self.service] += self.site.now - self.stay_since

    # The decision of a date.

    def decide(self):
        """After all events of a date; in the middle of a step there is nothing to decide."""
        if self.step_end < math.inf:
            return
        self.timer = math.inf
        if self.stack:
            self.decide_at_boundary()
        else:
            self.decide_idle()
        self.someone_left = False
        if self.stack:
            samples, layer = self.stack[-1]
            self.step_end = self.site.now + self.cost + self.networks[self.service].latency[layer][len(samples)]
            self.steps.append((self.service, self.site.now, self.step_end, layer, len(samples)))
            self.cost = 0.0

    def decide_idle(self):
        self.drop_hopeless(range(len(self.queues)))
        before = [(self.parked[-1][0], i) for samples, _ in self.parked[-1][1] for i in samples] if self.parked else []
        service, size_or_date = self.whose_turn(before)
        if service is not None:
            self.start(service, size_or_date)
        elif self.parked:
            self.service, self.stack = self.parked.pop()
            self.stay_since = self.site.now
            self.site.resume(self.stack[-1][0])
            self.someone_left = False
            self.ask_active()
        else:
            self.timer = size_or_date

    def decide_at_boundary(self):
        others_wait = any(queue for service, queue in enumerate(self.queues) if service != self.service)
        if self.site.preemptive and others_wait and self.is_at_segment():
            self.drop_hopeless(range(len(self.queues)))
            before = [(self.service, i) for samples, _ in self.stack for i in samples]
            service, size = self.whose_turn(before)
            if service is not None:
                self.end_stay()
                self.site.suspend(self.stack[-1][0])
                self.parked.append((self.service, self.stack))
                self.site.parkings += 1
                self.start(service, size)
                self.cost = self.site.preemption_cost
                return
        self.ask_active()

    def is_at_segment(self):
        network, layer = self.networks[self.service], self.stack[-1][1]
        return layer == network.first_layer(network.segment[layer])

    def whose_turn(self, before):
        """The first service in order whose policy starts a batch on an idle NPU, and its size; else None and the earliest
        date that one waits for. Only heads strictly before all of `before`, a list of (service, request), count; one of the same
        service never is.
        """
        while True:
            dates = []
            for service in self.order(before):
                kind, value = self.policies[service](View(self, service, []))[:2]
                if kind == "start":
                    return service, value
                if kind == "drop":
                    self.drop(service, value)
                    break
                dates.append(value)
            else:
                return None, min(dates, default=math.inf)

    def order(self, before):
        """The services whose turn it could be, first the one that goes first."""
        def rank(service, request):
            return self.site.arbiter(self, service, request)

        limit = min((rank(*contender) for contender in before), default=None)
        ranks = {service: rank(service, queue[0]) for service, queue in enumerate(self.queues) if queue}
        left = [service for service in ranks if limit is None or ranks[service] < limit - TOLERANCE]
        order = []
        while left:
            least = min(ranks[service] for service in left)
            tied = [service for service in left if ranks[service] <= least + TOLERANCE]
            order.append(min(tied, key=lambda service: (self.site.arrival[self.queues[service][0]], service)))
            left.remove(order[-1])
        return order

    def start(self, service, size):
        self.service, self.stack = service, [[self.queues[service][:size], 0]]
        del self.queues[service][:size]
        self.site.begin(self.stack[-1][0])
        self.stay_since, self.last_served = self.site.now, service

    def ask_active(self):
        """At a boundary that the active service's policy wants to see: may newcomers of the same network go first?"""
        policy = self.policies[self.service]
        if policy.asked == "idle" or (policy.asked == "segment" and not self.is_at_segment()):
            return
        self.drop_hopeless([self.service])
        queue = self.queues[self.service]
        decision = policy(View(self, self.service, self.stack)) if queue else ("go_on",)
        if decision[0] == "preempt":
            self.site.suspend(self.stack[-1][0])
            self.stack.append([queue[:decision[1]], 0])
            del queue[:decision[1]]
            self.site.begin(self.stack[-1][0])
            self.cost = self.site.preemption_cost

    def drop(self, service, count):
        for i in self.queues[service][:count]:
            self.site.dropped[i] = self.site.now
        del self.queues[service][:count]

    def drop_hopeless(self, services):
        for service in services if self.site.drops_hopeless else ():
            queue, latency = self.queues[service], self.networks[service].remaining(0)
            while queue and self.site.now - self.site.started[queue[0]] + latency > self.site.services[service].slo + TOLERANCE:
                self.drop(service, 1)


class Site:
    """`requests`: (arrival, service, exit) in the order of arrival; `started`: from when their SLOs count, None: from there.
    `max_batch` is what a router counts with. `run` fills `completion` or `dropped` (dates), `taken` (exits), `npu`, `began` and
    `suspended` of each request.
    """

    def __init__(self, services, servers, requests, arbiter="oldest_first", preemptive=False, router="round_robin",
                 preemption_cost=0.0, drops_hopeless=False, max_batch=1, started=None):
        self.services, self.servers = services, servers
        self.arrival, self.service, self.exit = (list(column) for column in zip(*requests))
        self.started = started or self.arrival
        self.arbiter, self.preemptive, self.router = ARBITERS[arbiter], preemptive, ROUTERS.get(router, router)
        self.preemption_cost, self.drops_hopeless, self.max_batch = preemption_cost, drops_hopeless, max_batch
        self.completion, self.dropped, self.taken, self.npu, self.began, self.since = (
            [None] * len(requests) for _ in range(6))
        self.suspended = [0.0] * len(requests)
        self.now, self.parkings = 0.0, 0
        for server in servers:
            server.site = self

    def deadline(self, request):
        return self.started[request] + self.services[self.service[request]].slo

    def run(self):
        coming = list(range(len(self.arrival)))
        while True:
            self.now = min([server.step_end for server in self.servers] + [server.timer for server in self.servers]
                           + [self.arrival[i] for i in coming[:1]])
            if self.now == math.inf:
                return self
            concerned = {k for k, server in enumerate(self.servers) if self.now in (server.step_end, server.timer)}
            for server in self.servers:
                if server.step_end == self.now:
                    server.end_of_layer()
            while coming and self.arrival[coming[0]] == self.now:
                request = coming.pop(0)
                self.npu[request] = self.router(self, request)
                self.servers[self.npu[request]].queues[self.service[request]].append(request)
                concerned.add(self.npu[request])
            for k in sorted(concerned):
                self.servers[k].decide()

    def begin(self, samples):
        for i in samples:
            self.began[i] = self.now

    def suspend(self, samples):
        for i in samples:
            self.since[i] = self.now

    def resume(self, samples):
        for i in samples:
            self.suspended[i] += self.now - self.since[i]


# Policies that naive_server.py has not.

def dynamic_batching(max_batch, delay):
    """That of naive_server.py, whose delay counts from arrival at the server."""
    policy = naive_server.dynamic_batching(max_batch, delay)

    @asked("idle")
    def decide(server):
        server.arrival = server.arrival_at_server
        return policy(server)
    return decide


def clockwork(max_batch, slo):
    """The largest power of two that enough requests can take in time; what is too late for it is dropped."""
    @asked("idle")
    def decide(server):
        def late(size):
            latency = sum(batches[size] for batches in server.network.latency)
            return sum(server.now - server.arrival[i] + latency > slo + TOLERANCE for i in server.queue)

        if server.stack:
            return ("go_on",)
        sizes = [2 ** k for k in range(max_batch.bit_length())]
        size = max((s for s in sizes if len(server.queue) - late(s) >= s), default=1)
        return ("drop", late(size)) if late(size) else ("start", size)
    return decide


def deferred_batching(max_batch, slo):
    """A full batch, or at the latest moment at which one more sample would still let the oldest meet its deadline."""
    @asked("idle")
    def decide(server):
        if server.stack:
            return ("go_on",)
        size = min(len(server.queue), max_batch)
        if size == max_batch or slo == math.inf:
            return ("start", size)
        latest = server.arrival[server.queue[0]] + slo - sum(batches[size + 1] for batches in server.network.latency)
        return ("start", size) if server.now >= latest else ("wait", latest)
    return decide
