"""Energy of a run once more: counts of operations by the equations of docs/model.md, and a plain sum over the layers that ran.

Shares no code with the program, of which it takes the layers' shapes, and the batch policy and the words of each.
"""

import math

PARTS = ("mac", "buffer", "dram")


def ceil_div(a, b):
    return -(-a // b)


def of_layer(npu, layer, row):
    """Joules by what takes them: of a GEMM (a row of `network show`) as a row of `npu table` lays it out. `npu`: its YAML."""
    assert int(layer["groups"]) == 1, layer
    r, p, c = (int(layer[key]) for key in "rpc")
    b_r, b_p, k = (int(row[key]) for key in ("b_r", "b_p", "k"))
    inputs, weights, outputs = (int(row[f"{kind}_words"]) for kind in ("input", "weight", "output"))
    n_r, n_p, n_c = ceil_div(b_r * r, npu["t_r"] // k), ceil_div(p, k * npu["t_p"]), ceil_div(c, npu["t_c"] // k)
    rows, pj = b_r * b_p * r, npu["energy"]
    buffers = ((inputs + rows * p * n_c) * pj["input_buffer_pj_per_word"]
               + (weights + n_r * b_p * p * c) * pj["weight_buffer_pj_per_word"]
               + 2 * rows * c * n_p * pj["output_buffer_pj_per_word"])
    picojoules = (rows * p * c * pj["mac_pj"], buffers, (inputs + weights + outputs) * pj["dram_pj_per_word"])
    return {part: value * 1e-12 for part, value in zip(PARTS, picojoules)}


class OfSite:
    """What each service takes on each NPU of a naive site that has run, from the arrival of the request `first` to the last
    one's end. `joules[npu][service][layer][batch]` is that of a layer, `static_w[npu]` passes all the time.
    """

    def __init__(self, site, joules, static_w, first):
        self.site, self.static_w, self.first = site, static_w, first
        self.begin = site.arrival[first]
        self.end = max(date for dates in (site.completion, site.dropped) for date in dates if date is not None)
        services = range(len(site.services))
        self.dynamic = [[dict.fromkeys(PARTS, 0.0) for _ in services] for _ in site.servers]
        self.busy = [[0.0 for _ in services] for _ in site.servers]
        for npu, server in enumerate(site.servers):
            for service, begin, end, layer, batch in server.steps:
                if end <= self.begin:
                    continue
                # Of the layer that runs when the window begins the share that is left.
                share = min(1.0, (end - self.begin) / server.networks[service].latency[layer][batch])
                self.busy[npu][service] += end - max(self.begin, begin)
                for part, value in joules[npu][service][layer][batch].items():
                    self.dynamic[npu][service][part] += share * value

    def static_share(self, npu, services):
        """Of the NPU's static power, what these services have to answer for."""
        all_busy = sum(self.busy[npu])
        if all_busy == 0:
            return len(services) / len(self.site.services)
        return sum(self.busy[npu][service] for service in services) / all_busy

    def statistics(self, npus, services):
        """Those of a part of the site; None where nobody of it was served."""
        window = self.end - self.begin
        joules = {part: sum(self.dynamic[npu][service][part] for npu in npus for service in services) for part in PARTS}
        joules["static"] = window * sum(self.static_w[npu] * self.static_share(npu, services) for npu in npus)
        total = sum(joules.values())
        site = self.site
        latencies = [site.completion[i] - site.arrival[i] for i in range(self.first, len(site.arrival))
                     if site.completion[i] is not None and site.npu[i] in npus and site.service[i] in services]
        n = len(latencies)
        values = {f"{part}_energy_per_request_j": value / n if n else None for part, value in joules.items()}
        values["energy_per_request_j"] = total / n if n else None
        values["average_power_w"] = total / window
        values["energy_delay_product_js"] = total / n * math.fsum(latencies) / n if n else None
        return values
