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


def nominal_exits(confidence, thresholds):
    """For each row of a file of confidences the first exit whose confidence is at least its threshold, else the last one."""
    return [next((e for e, threshold in enumerate(thresholds) if row[e] >= threshold), len(thresholds))
            for row in confidence]


def conditional_rates(exits, early):
    """For each early exit the share that leaves there, of those that reach it."""
    reach, rates = len(exits), []
    for e in range(early):
        rates.append(exits.count(e) / reach if reach else 0)
        reach -= exits.count(e)
    return rates


class AdaptiveControl:
    """Thresholds that follow the queue, and a target of accuracy.

    `confidence[row][exit]` and `correct[row][exit]` are a file's, `thresholds` are those of the early exits, and `sample[i]`
    is the row of request i. Keeps the thresholds' shift after each window in `shifts`, and in `forced` who left for its
    deadline alone.
    """

    BINS = 20

    def __init__(self, thresholds, confidence, correct, sample, slo, queue_gain=0.06, floor=0.0, deadline=True,
                 accuracy_target=None, step=0.5, window=256):
        self.thresholds, self.confidence, self.sample, self.slo = thresholds, confidence, sample, slo
        self.queue_gain, self.floor, self.deadline = queue_gain, floor, deadline
        self.target, self.step, self.window = accuracy_target, step, window
        self.delta, self.shifts, self.forced, self.departed = 0.0, [], set(), []
        if accuracy_target is not None:
            self.bins = [self.calibrate(confidence, correct, e) for e in range(len(thresholds) + 1)]

    def calibrate(self, confidence, correct, e):
        """The first confidence and the share of correct ones in each bin of the even rows."""
        rows = sorted(range(0, len(confidence), 2), key=lambda row: (confidence[row][e], row))
        bins = []
        for b in range(self.BINS):
            members = rows[len(rows) * b // self.BINS:len(rows) * (b + 1) // self.BINS]
            if members:
                bins.append((confidence[members[0]][e], sum(correct[row][e] for row in members) / len(members)))
        return bins

    def calibrated(self, i, e):
        mine = self.confidence[self.sample[i]][e]
        value = self.bins[e][0][1]
        for first, share in self.bins[e]:
            if first <= mine:
                value = share
        return value

    def leaving(self, server, segment, samples):
        """Those of the active batch who leave at this end of a segment, in the batch's order."""
        if segment == server.network.segments - 1:
            gone = list(samples)
        else:
            theta = min(1.0, max(self.floor, self.thresholds[segment] + self.delta - self.queue_gain * len(server.queue)))
            next_segment = server.network.segment_latency(segment + 1, len(samples))
            gone = []
            for i in samples:
                late = server.now - server.arrival[i] + next_segment > self.slo + TOLERANCE
                if self.confidence[self.sample[i]][segment] >= theta:
                    gone.append(i)
                elif self.deadline and late:
                    gone.append(i)
                    self.forced.add(i)
        if self.target is not None:
            for i in gone:
                self.count(self.calibrated(i, segment))
        return gone

    def count(self, value):
        """One more has left, with this probability of a right answer. Nobody's threshold of this date changes by it."""
        self.departed.append(value)
        if len(self.departed) == self.window:
            self.delta += self.step * (self.target - sum(self.departed) / self.window)
            self.delta = min(max(self.delta, -min(self.thresholds)), 1.0 - max(self.thresholds))
            self.shifts.append(self.delta)
            self.departed = []


def serve(network, policy, arrivals, exits, control=None, hopeless_slo=None):
    """Completion dates. `policy(server)` returns ("go_on",), ("start", n), ("preempt", n) or ("wait", date)."""
    return Server(network, policy, arrivals, exits, control, hopeless_slo).run()


class Server:
    """`exits` are taken, or with a `control` only what an oracle takes them to be. With `hopeless_slo` requests that can't
    meet it even alone are dropped, when the policy is asked: see its attribute `asked`.
    """

    def __init__(self, network, policy, arrivals, exits, control=None, hopeless_slo=None):
        self.network, self.policy, self.arrival, self.exit = network, policy, arrivals, exits
        self.control, self.hopeless_slo = control, hopeless_slo
        self.taken, self.dropped = [None] * len(arrivals), [None] * len(arrivals)  # exits; dates
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
            self.admit(lambda arrival: arrival < self.now)
            if step_end is not None:
                self.end_of_layer()
                step_end = None
            self.admit(lambda arrival: arrival <= self.now)
            timer = math.inf
            cost = 0.0
            if self.hopeless_slo is not None and self.is_asked():
                self.drop_hopeless()
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

    def admit(self, has_come):
        while self.next_arrival < len(self.arrival) and has_come(self.arrival[self.next_arrival]):
            self.queue.append(self.next_arrival)
            self.next_arrival += 1

    def is_asked(self):
        """Whether the policy has a say at this date: `asked` is idle, segment or layer."""
        if not self.stack or self.policy.asked == "layer":
            return True
        layer = self.stack[-1][1]
        return self.policy.asked == "segment" and layer == self.network.first_layer(self.network.segment[layer])

    def drop_hopeless(self):
        while self.queue and self.now - self.arrival[self.queue[0]] + self.network.remaining(0) > self.hopeless_slo + TOLERANCE:
            self.dropped[self.queue.pop(0)] = self.now

    def leaving(self, segment, samples):
        if self.control is not None:
            return self.control.leaving(self, segment, samples)
        return [i for i in samples if self.exit[i] == segment]

    def end_of_layer(self):
        batch = self.stack[-1]
        batch[1] += 1
        segment = self.network.segment[batch[1] - 1]
        if batch[1] == self.network.first_layer(segment + 1):
            gone = self.leaving(segment, batch[0])
            for i in gone:
                self.completion[i], self.taken[i] = self.now, segment
                self.someone_left = True
            batch[0] = [i for i in batch[0] if i not in gone]
        if not batch[0]:
            self.stack.pop()
        if len(self.stack) >= 2 and self.stack[-1][1] == self.stack[-2][1]:
            top = self.stack.pop()
            self.stack[-1][0] += top[0]

    def in_flight(self):
        return sum(len(samples) for samples, _ in self.stack)


def asked(when):
    """Says of a policy at which dates it is asked: of an idle NPU, at every end of a segment too, or of a layer."""
    def mark(policy):
        policy.asked = when
        return policy
    return mark


def serial():
    @asked("idle")
    def decide(server):
        return ("start", 1) if not server.stack else ("go_on",)
    return decide


def dynamic_batching(max_batch, delay):
    @asked("idle")
    def decide(server):
        if server.stack:
            return ("go_on",)
        oldest = server.arrival[server.queue[0]]
        if len(server.queue) >= max_batch or server.now >= oldest + delay:
            return ("start", min(len(server.queue), max_batch))
        return ("wait", oldest + delay)
    return decide


def lazy_batching(max_batch, slo, slack_factor=1.0):
    @asked("layer")
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
    @asked("segment")
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
