"""The serving rules once more, written from their description and sharing no code with the program.

One event per layer, plain lists, no prefix sums. `latency[layer][batch]` and `segment[layer]` come from the program's
CSV tables; everything else is here. Slow, and easy to hold against the rules one by one.
"""

import math

TOLERANCE = 1e-9


class Network:
    def __init__(self, table_rows, layer_rows):
        self.latency = []
        for row in table_rows:
            batch = int(row["batch"])
            if batch == 1:
                self.latency.append([0.0])
            self.latency[-1].append(float(row["latency_s"]))
        self.segment = [int(row["segment"]) for row in layer_rows]
        self.layers = len(self.segment)
        self.segments = self.segment[-1] + 1

    def first_layer(self, segment):
        return self.segment.index(segment) if segment < self.segments else self.layers

    def remaining(self, layer):
        return sum(self.latency[i][1] for i in range(layer, self.layers))

    def segment_latency(self, segment, batch):
        def whole(b):
            return sum(self.latency[i][b] for i in range(self.layers) if self.segment[i] == segment)
        if batch < 1:
            return batch * whole(1)
        low = math.floor(batch)
        if batch == low:
            return whole(low)
        return whole(low) + (batch - low) * (whole(low + 1) - whole(low))


def serve(network, policy, arrivals, exits):
    """Completion dates. `policy(server)` returns ("go_on",), ("start", n), ("preempt", n) or ("wait", date)."""
    return Server(network, policy, arrivals, exits).run()


class Server:
    def __init__(self, network, policy, arrivals, exits):
        self.network, self.policy, self.arrival, self.exit = network, policy, arrivals, exits
        self.queue, self.stack = [], []  # of [samples, next layer], the active one last
        self.now, self.next_arrival = 0.0, 0
        self.completion = [None] * len(arrivals)
        self.someone_left = False

    def run(self):
        step_end, timer = None, math.inf
        while True:
            arrival = self.arrival[self.next_arrival] if self.next_arrival < len(self.arrival) else math.inf
            self.now = step_end if step_end is not None else min(arrival, timer)
            if self.now == math.inf:
                return self.completion
            self.someone_left = False
            if step_end is not None:
                self.end_of_layer()
                step_end = None
            while self.next_arrival < len(self.arrival) and self.arrival[self.next_arrival] <= self.now:
                self.queue.append(self.next_arrival)
                self.next_arrival += 1
            timer = math.inf
            cost = 0.0
            if self.queue:
                decision = self.policy(self)
                if decision[0] in ("start", "preempt"):
                    newcomers, self.queue = self.queue[:decision[1]], self.queue[decision[1]:]
                    if self.stack and self.stack[-1][1] == 0:
                        self.stack[-1][0] += newcomers
                    else:
                        self.stack.append([newcomers, 0])
                    if decision[0] == "preempt":
                        cost = decision[2]
                elif decision[0] == "wait":
                    timer = decision[1]
            if self.stack:
                samples, layer = self.stack[-1]
                step_end = self.now + cost + self.network.latency[layer][len(samples)]

    def end_of_layer(self):
        batch = self.stack[-1]
        batch[1] += 1
        segment = self.network.segment[batch[1] - 1]
        if batch[1] == self.network.first_layer(segment + 1):
            stay = [i for i in batch[0] if self.exit[i] != segment]
            for i in batch[0]:
                if self.exit[i] == segment:
                    self.completion[i] = self.now
                    self.someone_left = True
            batch[0] = stay
        if not batch[0]:
            self.stack.pop()
        if len(self.stack) >= 2 and self.stack[-1][1] == self.stack[-2][1]:
            top = self.stack.pop()
            self.stack[-1][0] += top[0]

    def in_flight(self):
        return sum(len(samples) for samples, _ in self.stack)


def serial():
    return lambda server: ("start", 1) if not server.stack else ("go_on",)


def dynamic_batching(max_batch, delay):
    def decide(server):
        if server.stack:
            return ("go_on",)
        oldest = server.arrival[server.queue[0]]
        if len(server.queue) >= max_batch or server.now >= oldest + delay:
            return ("start", min(len(server.queue), max_batch))
        return ("wait", oldest + delay)
    return decide


def lazy_batching(max_batch, slo, slack_factor=1.0):
    def decide(server):
        network = server.network
        if not server.stack:
            return ("start", min(len(server.queue), max_batch))
        most = min(len(server.queue), max_batch - server.in_flight())
        running = [i for samples, _ in server.stack for i in samples]
        if any(server.now - server.arrival[i] > slo + TOLERANCE for i in running):
            return ("preempt", most, 0.0) if most > 0 else ("go_on",)
        work = sum(len(samples) * network.remaining(layer) for samples, layer in server.stack)
        for n in range(most, 0, -1):
            total = work + n * network.remaining(0)
            everybody = running + server.queue[:n]
            if all(total <= slack_factor * (slo - (server.now - server.arrival[i])) + TOLERANCE for i in everybody):
                return ("preempt", n, 0.0)
        return ("go_on",)
    return decide


def exit_aware(max_batch, slo, rates, trigger="exit_boundary", slack="expected", knowledge="rates", depth=1, cost=0.0):
    def decide(server):
        network = server.network
        end = network.segments
        if not server.stack:
            return ("start", min(len(server.queue), max_batch))
        samples, layer = server.stack[-1]
        s = network.segment[layer] if layer < network.layers else end
        if layer != network.first_layer(s) or s == 0 or len(server.stack) > depth:
            return ("go_on",)
        if trigger == "exit_event" and not server.someone_left:
            return ("go_on",)
        on = [1.0 if knowledge == "none" else 1.0 - rate for rate in rates] + [1.0]

        def course(group, first, last, q):
            """T, F and e of a number of samples (at rates q) or of a list of their exits."""
            known = isinstance(group, list)
            size = len(group) if known else group
            count, share, duration, mean = float(size), 1.0, 0.0, 0.0
            for j in range(first, last):
                time = network.segment_latency(j, count)
                duration += time
                mean += share * time
                if known:
                    count = float(sum(e > j for e in group))
                    share = count / size if size else 0.0
                else:
                    count *= q[j]
                    share *= q[j]
            return duration, mean, count

        def courses(n, q, known):
            if known:
                old = [server.exit[i] for i in samples]
                new = [server.exit[i] for i in server.queue[:n]]
                both = old + [e for e in new if e >= s]
            else:
                old, new = len(samples), n
            c, nn, p = course(old, s, end, q), course(new, 0, end, q), course(new, 0, s, q)
            m = course(both if known else min(max_batch, old + p[2]), s, end, q)
            return c, nn, p, m

        b, w, best, gain = len(samples), len(server.queue), 0, 0.0
        for n in range(1, min(w, max_batch - server.in_flight()) + 1):
            (tc, fc, _), (tn, fn, _), (tp, fp, ep), (tm, fm, _) = courses(n, on, knowledge == "oracle")
            j_c = b * fc + n * (tc + fn) + (w - n) * (tc + tn)
            j_p = b * (tp + fm) + n * fp + ep * fm + (w - n) * (tp + tm)
            if slack == "worst_case":
                (tc, _, _), _, (tp, _, _), (tm, _, _) = courses(n, [1.0] * end, False)
            forbidden = any(server.now - server.arrival[i] + tp + tm > slo + TOLERANCE and
                            server.now - server.arrival[i] + tc <= slo + TOLERANCE for i in samples)
            if not forbidden and j_c - j_p > gain:
                best, gain = n, j_c - j_p
        return ("preempt", best, cost) if best else ("go_on",)
    return decide
