"""What tests of arrivals and exits from Python share."""

import fluidbatch as fb
import numpy as np

EXITS = 4  # of ee_resnet50, the final one included
SERIAL = {"label": "serial", "policy": {"name": "serial"}, "npu": "zu7ev_large", "npu_mode": "r"}
GREEDY = {"label": "greedy", "policy": {"name": "dynamic_batching", "max_batch": 4, "max_queue_delay_ms": 0}, "npu": "zu7ev_large", "npu_mode": "r"}
POISSON = {"kind": "poisson", "rate_hz": 20}
RATES = {"kind": "rates", "rates": [0.3, 0.35, 0.4]}


def configuration(arrivals=POISSON, exits=RATES, **others):
    devices = arrivals if isinstance(arrivals, list) else None
    workload = {"exits": exits, **({"devices": devices} if devices else {"arrivals": arrivals}), **others.pop("workload", {})}
    return {"seed": 3, "requests": 2000, "warmup_requests": 100, "network": "ee_resnet50", "slo": {"latency_ms": 200},
            "workload": workload, "systems": [SERIAL, GREEDY], **others}


def same(ours, theirs):
    """All columns of all requests bit for bit, and all statistics."""
    assert ours.labels == theirs.labels
    for label in ours.labels:
        a, b = ours.requests(label), theirs.requests(label)
        assert a.columns == b.columns and len(a) == len(b) > 0
        for name in a.columns:
            assert a[name].tobytes() == b[name].tobytes(), (label, name)
        assert ours.summary(label) == theirs.summary(label)


def dates_of(random, count, rate_hz=20.0):
    return np.cumsum(random.exponential(1 / rate_hz, count))


def write_csv(path, **columns):
    rows = zip(*(column.tolist() for column in columns.values()))
    path.write_text(",".join(columns) + "\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows))
    return path


class Poisson(fb.Arrivals):
    @property
    def rate_hz(self):
        return self.parameters.rate_hz

    def dates(self, seed, stream):
        random, now = np.random.default_rng([seed, stream]), 0.0
        while True:
            now += random.exponential(1 / self.parameters["rate_hz"])
            yield now


class Drawn(fb.Exits):
    rates = [0.5, 0.5, 0.5]

    def exits(self, seed, device):
        random = np.random.default_rng([seed, device, 1])
        while True:
            yield from np.minimum(random.geometric(0.5, 100) - 1, EXITS - 1)


def listed(name, values, rates=None):
    """A class whose iterators give `values`, registered."""
    base = fb.Arrivals if name == "listed_dates" else fb.Exits
    methods = {"dates": lambda self, seed, stream: iter(values), "exits": lambda self, seed, device: iter(values)}
    fb.register(name, type("Listed", (base,), {**methods, "rates": rates}))


def register_all():
    fb.register("mine", Poisson, parameters={"rate_hz": 20.0})
    fb.register("drawn", Drawn)
