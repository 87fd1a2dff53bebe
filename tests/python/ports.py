"""Three shipped policies written once more, in Python, from docs/policies.md alone: a second reading of its text.

`register` gives them the names that NAMES holds; each takes the parameters of the policy that it stands for.
"""

from __future__ import annotations

import copy
from math import comb
from typing import NamedTuple, Sequence

import fluidbatch as fb

TOLERANCE_S = 1e-9

#: The names of the policies here by those of the shipped ones.
NAMES = {name: f"port_of_{name}" for name in ("dynamic_batching", "lazy_batching", "exit_aware")}

Distribution = Sequence[float]  # of a number of samples: the probability of 0, 1, ..


class DynamicBatching(fb.Policy):
    """`dynamic_batching`: a full batch, or what there is once the oldest has waited for the delay."""

    def decide(self, view: fb.ServerView) -> fb.Decision:
        most = self.parameters.max_batch
        latest_s = view.arrival_s(view.queue[0]) + self.parameters.max_queue_delay_ms / 1000.0
        if view.queued >= most or view.now_s >= latest_s:
            return fb.start(min(view.queued, most))
        return fb.wait_until(latest_s)


class LazyBatching(fb.Policy):
    """`lazy_batching`: newcomers preempt at any layer while everybody's slack holds what remains of all of them."""

    boundary = "layer"

    def decide(self, view: fb.ServerView) -> fb.Decision:
        most = self.parameters.max_batch
        if view.idle:
            return fb.start(min(view.queued, most))
        room = min(view.queued, most - view.in_flight)
        if room == 0:
            return fb.go_on()
        most_used_s = max(view.now_s - view.slo_start_s(request) for batch in view.stack for request in batch.requests)
        if most_used_s > view.slo_s + TOLERANCE_S:
            return fb.preempt(room)
        newcomers = self.newcomers(view, view.slo_s - most_used_s, room)
        return fb.preempt(newcomers) if newcomers else fb.go_on(refusal="slo")

    def newcomers(self, view: fb.ServerView, slack_s: float, room: int) -> int:
        """How many of the oldest, up to `room`, pass the test; `slack_s` is the least of those in flight."""
        table = view.table
        remaining_s = sum(batch.size * table.latency_s(batch.next_layer, table.layers, 1) for batch in view.stack)
        for admitted, elapsed_s in enumerate(view.elapsed_s[:room]):
            remaining_s += table.latency_s(0, table.layers, 1)
            slack_s = min(slack_s, view.slo_s - elapsed_s)
            if remaining_s > self.parameters.slack_factor * slack_s + TOLERANCE_S:
                return admitted
        return room


class Course(NamedTuple):
    """What a group of samples goes through from one layer to another."""

    t_s: float  #: how long the group takes, s
    f_s: float  #: how long one of its samples is in it on average, s
    left: float  #: how many of its samples are still there at the end, as far as is known
    left_by_number: Distribution = ()  #: for `outlook`: the probability of each number


class Pieces:
    """The segments of a network, and a part of one where a boundary lies inside of it."""

    def __init__(self, table: fb.Table) -> None:
        self.table = table
        self.begins = [table.segment_begin(segment) for segment in range(table.segments)] + [table.layers]

    def between(self, first: int, end: int) -> list[tuple[int, int, int, bool]]:
        """(segment, first layer, end, whether the exit is there) of each piece of layers first .. end - 1."""
        pieces = []
        for segment, (begin, close) in enumerate(zip(self.begins, self.begins[1:])):
            if max(first, begin) < min(end, close):
                pieces.append((segment, max(first, begin), min(end, close), close <= end))
        return pieces

    def latency_s(self, first: int, end: int, batch: int) -> float:
        """Of layers first .. end - 1 for a whole number of samples, 0 for none, s."""
        return float(self.table.latency_s(first, end, batch)) if batch else 0.0

    def mean_latency_s(self, first: int, end: int, batch: float) -> float:
        """The same for any number: linear between whole ones, and proportional below one, s."""
        if batch < 1:
            return batch * self.latency_s(first, end, 1)
        whole = int(batch)
        low_s = self.latency_s(first, end, whole)
        if batch == whole:
            return low_s
        return low_s + (batch - whole) * (self.latency_s(first, end, whole + 1) - low_s)


class ExitAware(fb.Policy):
    """`exit_aware`: the shrunken batch waits for newcomers where that makes the sum of latencies smaller.

    ties: dates of all runs at which one choice is as good as another but for rounding, which then decides.
    """

    ties: list[float] = []

    @property
    def boundary(self) -> str:  # type: ignore[override]
        return str(self.parameters.decide_at)

    @property
    def oracle(self) -> bool:  # type: ignore[override]
        return bool(self.parameters.exit_knowledge == "oracle")

    def __init__(self, parameters: fb.Parameters, context: fb.PolicyContext) -> None:
        self.pieces = Pieces(context.table)
        self.certain = (1.0,) * context.table.segments
        rates = [*context.exit_rates, 0.0] if parameters.exit_knowledge != "none" else [0.0] * context.table.segments
        self.stays = tuple(1.0 - rate for rate in rates)
        self.outlook = parameters.objective == "outlook"
        self.rate_hz = context.rate_hz if context.rate_hz == context.rate_hz else 0.0
        self.pace_s, self.inside_s = self.pace() if self.outlook else (0.0, 0.0)
        self.known: dict[tuple[int, int, int, bool], tuple[Course, ...]] = {}

    def clone(self) -> ExitAware:
        return copy.copy(self)  # it remembers nothing but what it has computed, which copies may share

    def decide(self, view: fb.ServerView) -> fb.Decision:
        if view.idle:
            return fb.start(min(view.queued, self.parameters.max_batch))
        here = view.active.next_layer
        room = min(view.queued, self.parameters.max_batch - view.in_flight)
        suspended = len(view.stack) - 1
        if here == 0 or room == 0 or suspended == self.parameters.preemption_depth:
            return fb.go_on()
        if self.parameters.trigger == "exit_event" and not view.someone_left:
            return fb.go_on()
        best, most_s, forbidden = 0, 0.0, False
        for newcomers in range(1, room + 1):
            courses = self.courses(view, newcomers, here)
            gain_s = self.gain_s(courses, view.active.size, newcomers, view.queued)
            if abs(gain_s - most_s) <= 1e-12:
                self.ties.append(view.now_s)
            if gain_s > most_s and self.makes_late(view, newcomers, here, courses):
                forbidden = True
            elif gain_s > most_s:
                best, most_s = newcomers, gain_s
        if best:
            return fb.preempt(best)
        return fb.go_on(refusal="slo" if forbidden else "no_gain")

    def courses(self, view: fb.ServerView, newcomers: int, here: int) -> tuple[Course, ...]:
        """C, N, P and M: the active batch to the end, newcomers alone to the end, they up to here, both from here."""
        if self.oracle:
            return self.courses_of_exits([view.exit_of(request) for request in view.active.requests],
                                         [view.exit_of(request) for request in view.queue[:newcomers]], here)
        return self.courses_of_sizes(view.active.size, newcomers, here, self.stays)

    def courses_of_exits(self, active: list[int], newcomers: list[int], here: int) -> tuple[Course, ...]:
        end, segment = self.context.table.layers, self.context.table.segment_of(here)
        both = active + [exit for exit in newcomers if exit >= segment]
        return (self.by_exits(active, here, end), self.by_exits(newcomers, 0, end), self.by_exits(newcomers, 0, here),
                self.by_exits(both, here, end))

    def courses_of_sizes(self, batch: int, newcomers: int, here: int, stays: Sequence[float]) -> tuple[Course, ...]:
        key = (batch, newcomers, here, stays is self.certain)
        if key not in self.known:
            end = self.context.table.layers
            if self.outlook:
                up = self.by_numbers(certainly(newcomers), 0, here, stays)
                self.known[key] = (self.by_numbers(certainly(batch), here, end, stays),
                                   self.by_numbers(certainly(newcomers), 0, end, stays), up,
                                   self.by_numbers([0.0] * batch + list(up.left_by_number), here, end, stays))
            else:
                up = self.by_means(newcomers, 0, here, stays)
                self.known[key] = (self.by_means(batch, here, end, stays), self.by_means(newcomers, 0, end, stays), up,
                                   self.by_means(min(self.parameters.max_batch, batch + up.left), here, end, stays))
        return self.known[key]

    def by_means(self, batch: float, first: int, end: int, stays: Sequence[float]) -> Course:
        """A course by the expected number of those who are left."""
        t_s, f_s, stay, left = 0.0, 0.0, 1.0, float(batch)
        for segment, begin, close, at_exit in self.pieces.between(first, end):
            latency_s = self.pieces.mean_latency_s(begin, close, left)
            t_s += latency_s
            f_s += stay * latency_s
            if at_exit:
                left *= stays[segment]
                stay *= stays[segment]
        return Course(t_s, f_s, left)

    def by_numbers(self, batch: Distribution, first: int, end: int, stays: Sequence[float]) -> Course:
        """A course by the distribution of how many are left; `batch` is that before the first layer."""
        t_s, f_s, stay, left = 0.0, 0.0, 1.0, batch
        for segment, begin, close, at_exit in self.pieces.between(first, end):
            latency_s = sum(probability * self.pieces.latency_s(begin, close, number)
                            for number, probability in enumerate(left))
            t_s += latency_s
            f_s += stay * latency_s
            if at_exit:
                left = thinned(left, stays[segment])
                stay *= stays[segment]
        return Course(t_s, f_s, sum(number * probability for number, probability in enumerate(left)), left)

    def by_exits(self, exits: list[int], first: int, end: int) -> Course:
        """A course where each sample's exit is known."""
        t_s, f_s, left = 0.0, 0.0, len(exits)
        for segment, begin, close, at_exit in self.pieces.between(first, end):
            latency_s = self.pieces.latency_s(begin, close, left)
            t_s += latency_s
            f_s += left / len(exits) * latency_s
            if at_exit:
                left = sum(exit > segment for exit in exits)
        return Course(t_s, f_s, left)

    def gain_s(self, courses: tuple[Course, ...], b: int, n: int, w: int) -> float:
        """The expected sum of latencies if the active batch goes on, less that if n of the w queued preempt it, s."""
        c, alone, p, m = courses
        if self.outlook:
            go_on_s = b * c.f_s + self.waiting_s(w, c.t_s)
            preempt_s = b * (p.t_s + m.f_s) + n * p.f_s + p.left * m.f_s + self.waiting_s(w - n, p.t_s + m.t_s)
            return go_on_s - preempt_s
        go_on_s = b * c.f_s + n * (c.t_s + alone.f_s) + (w - n) * (c.t_s + alone.t_s)
        preempt_s = b * (p.t_s + m.f_s) + n * p.f_s + p.left * m.f_s + (w - n) * (p.t_s + m.t_s)
        return go_on_s - preempt_s

    def makes_late(self, view: fb.ServerView, newcomers: int, here: int, courses: tuple[Course, ...]) -> bool:
        """Whether an active sample that would be in time becomes late by waiting for so many."""
        if self.parameters.slack_estimate == "worst_case":
            courses = self.courses_of_sizes(view.active.size, newcomers, here, self.certain)
        c, _, p, m = courses
        for request in view.active.requests:
            elapsed_s = view.now_s - view.slo_start_s(request)
            if elapsed_s + p.t_s + m.t_s > view.slo_s + TOLERANCE_S >= elapsed_s + c.t_s:
                return True
        return False

    def pace(self) -> tuple[float, float]:
        """(s, F) of the fluid: the NPU's time for each request in batches of the best size, and what a request spends in
        the smallest one whose pace is within a fifth of that, s."""
        sizes = range(1, self.parameters.max_batch + 1)
        whole = [self.by_numbers(certainly(size), 0, self.context.table.layers, self.stays) for size in sizes]
        paces_s = [course.t_s / size for size, course in zip(sizes, whole)]
        return min(paces_s), next(course.f_s for course, pace_s in zip(whole, paces_s) if pace_s <= 1.2 * min(paces_s))

    def waiting_s(self, queued: int, t_s: float) -> float:
        """V(q, T): what those behind a batch of T, and those who come until all are served, spend here, s."""
        later = queued + self.rate_hz * t_s
        spare = max(0.001, 1 - self.rate_hz * self.pace_s)
        return (queued * t_s + self.rate_hz * t_s * t_s / 2 + self.pace_s * later * later / (2 * spare)
                + self.inside_s * later)


def certainly(number: int) -> Distribution:
    """The distribution of a number that is known."""
    return [0.0] * number + [1.0]


def thinned(distribution: Distribution, stay: float) -> Distribution:
    """Of how many go on, where each does with the probability `stay`, independently."""
    left = [0.0] * len(distribution)
    for number, probability in enumerate(distribution):
        for on in range(number + 1):
            left[on] += probability * comb(number, on) * stay ** on * (1 - stay) ** (number - on)
    return left


def register() -> None:
    """Gives the policies here their names, for configurations run from Python."""
    fb.register(NAMES["dynamic_batching"], DynamicBatching, {"max_queue_delay_ms": 0.0})
    fb.register(NAMES["lazy_batching"], LazyBatching, {"slack_factor": 1.0})
    fb.register(NAMES["exit_aware"], ExitAware,
                {"trigger": ["exit_boundary", "exit_event"], "slack_estimate": ["expected", "worst_case"],
                 "exit_knowledge": ["rates", "oracle", "none"], "preemption_depth": 1,
                 "decide_at": ["segment", "layer"], "objective": ["present", "outlook"]})
