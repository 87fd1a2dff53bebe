"""How fast the Python module is: import, what a run costs beyond the simulation, policies in Python, large arrays."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure

IMPORT = "import time; begin = time.perf_counter(); import fluidbatch; print(time.perf_counter() - begin)"


def milliseconds(function, times):
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        function()
        took.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(took)


def bench_import(package, effort):
    took = [1e3 * float(subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True, text=True,
                                       env={"PYTHONPATH": str(package)}).stdout) for _ in range(effort.rounds(15))]
    print(f"module: import fluidbatch: {statistics.median(took):.0f} ms, at best {min(took):.0f}")


def bench_runs(fb, program, folder, effort):
    """Of a run what does not depend on its length, and what does, beside the program's own."""
    config = str(Path(folder) / "serial.yaml")
    whole = milliseconds(lambda: fb.run(config, requests=1, warmup_requests=0), effort.rounds(50))
    scenario = fb.Scenario(config, requests=1, warmup_requests=0)
    again = milliseconds(lambda: fb.run(scenario), effort.rounds(50))
    print(f"module: fb.run of one request: {whole:.2f} ms from a file, {again:.2f} ms of a Scenario that has been read")
    ratios, requests = [], effort.requests(2_000_000, least=200_000)
    for _ in range(effort.rounds(5)):
        begin = time.process_time()
        fb.run(config, requests=requests, outputs__requests_csv=False, jobs=1)
        module_s = time.process_time() - begin
        took_s, _ = measure.best(1, program, folder, "serial", requests, "bare")
        start_s, _ = measure.best(1, program, folder, "serial", 1000, "bare")
        ratios.append(module_s / (took_s - start_s))
    ratio = statistics.median(ratios)
    print(f"module: {requests:,} requests of serial take {ratio:.2f} times what they take the program")


def bench_policies(fb, folder, effort):
    class Greedy(fb.Policy):
        def decide(self, view):
            return fb.start(min(view.queued, self.parameters.max_batch))

    class Oldest(fb.Policy):
        boundary = "segment"

        def decide(self, view):
            if not view.idle:
                return fb.go_on()
            return fb.start(1) if view.oldest_age_s > 1e-3 else fb.wait_until(view.now_s - view.oldest_age_s + 1.001e-3)

    fb.register("bench_greedy", Greedy)
    fb.register("bench_oldest", Oldest)
    config = str(Path(folder) / "serial.yaml")
    for name in ("bench_greedy", "bench_oldest"):
        rates, requests = [], effort.requests(500_000, least=20_000)
        for _ in range(effort.rounds(5)):
            begin = time.perf_counter()
            results = fb.run(config, {"systems.0.policy": {"name": name}, "outputs": {"requests_csv": False},
                                      "requests": requests, "workload.arrivals.rho": 0.4}, jobs=1)
            took_s = time.perf_counter() - begin
            rates.append(requests / results.table["mean_start_batch"][0] / took_s)
        print(f"module: {name.removeprefix('bench_')} in Python: at least {statistics.median(rates):,.0f} decisions/s")


def bench_arrays(fb, folder, effort):
    config, requests = str(Path(folder) / "serial.yaml"), effort.requests(10**7)
    results = fb.run(config, requests=requests, outputs__requests_csv=True, jobs=1)
    took_ms = milliseconds(results.requests, 5)
    rows = results.requests()
    same = rows.__array_interface__["data"][0] == results.requests().__array_interface__["data"][0]
    print(f"module: requests of {len(rows):,} rows ({rows.nbytes / 2**20:,.0f} MiB) as an array: {took_ms:.2f} ms, "
          f"{'no copy' if same else 'A COPY'}; mean of a column: {milliseconds(rows['latency_s'].mean, 5):.0f} ms")


def bench(program, effort):
    package = Path(program).resolve().parents[1] / "python"
    if not package.is_dir():
        print("module: not built (FLUIDBATCH_PYTHON)")
        return
    bench_import(package, effort)
    sys.path.insert(0, str(package))
    import fluidbatch as fb

    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        measure.write_configs(Path(folder))
        bench_runs(fb, program, folder, effort)
        bench_policies(fb, folder, effort)
        bench_arrays(fb, folder, effort)
