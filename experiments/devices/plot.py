"""End-to-end latency and violations against the number of cameras, for three uplinks."""

import figures
from figures import plt

COUNT, BANDWIDTH = "workload.devices.cameras.count", "workload.uplink.access_point_bandwidth_bytes_per_s"
SYSTEMS = ("dynamic", "lazy", "ours")


def make(page):
    rows = page.results.rows(
        f'SELECT system, "{COUNT}" AS n, "{BANDWIDTH}" AS bandwidth, avg(mean_end_to_end_s) AS '
        f'end_s, avg(mean_uplink_s) AS air_s, '
        "avg(slo_violation_rate) AS late, sum(requests) AS requests FROM results WHERE status = 'done' "
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    bandwidths = sorted({r["bandwidth"] for r in rows})
    figure, axes = plt.subplots(2, len(bandwidths), figsize=(9.2, 5), sharex=True, sharey="row", squeeze=False)
    for column, bandwidth in enumerate(bandwidths):
        for place, system in enumerate(SYSTEMS):
            points = [r for r in rows if r["system"] == system and r["bandwidth"] == bandwidth]
            axes[0][column].plot([r["n"] for r in points], [1000 * r["end_s"] for r in points], **figures.look(system))
            shares = [(r["n"], r["late"], r["requests"]) for r in points]
            figures.plot_shares(axes[1][column], shares, system, 4 * (place - 1))
        air = [r for r in rows if r["system"] == "ours" and r["bandwidth"] == bandwidth]
        axes[0][column].plot(
            [r["n"] for r in air],
            [1000 * r["air_s"] for r in air],
            color="#888888",
            linestyle=":",
            label="of it in the air",
        )
        axes[0][column].set_title(f"{bandwidth / 1e6:g} MB/s shared")
        axes[0][column].set_ylim(0, 600)
        axes[1][column].set_yscale("log")
        axes[1][column].set_ylim(top=130)
        axes[1][column].set_xlabel("cameras, 2 samples a second each")
    axes[0][0].set_ylabel("mean, end to end (ms)")
    axes[1][0].set_ylabel("late (%)")
    figures.legend_below(figure, axes[0][0], 4)
    figure.tight_layout()

    def most(system, bandwidth):
        good = [r["n"] for r in rows if r["system"] == system and r["bandwidth"] == bandwidth and r["late"] <= 0.01]
        return round(max(good, default=0))

    counts = ", ".join(f"{most('ours', b)} at {b / 1e6:g} MB/s" for b in bandwidths)
    page.save(
        figure,
        caption="""Mean latency from end to end, and of it the way over the air under exit_aware (above), and late
        requests (below), against the number of cameras, in a column for each bandwidth that they share. An arrow: none
        of the n requests of that point was late; it stands at 3 / n, an upper bound with 95 % confidence, were requests
        independent.""",
        alternative=f"""Six panels of curves that are flat and then rise steeply where the air or the NPU has no more
        room. The most cameras with at most 1 % late under exit_aware are {counts}; at the least bandwidth all policies
        rise together, and at the highest exit_aware rises last.""",
    )
    table = [[f"{b / 1e6:g}"] + [most(s, b) for s in SYSTEMS] for b in bandwidths]
    page.table(
        "Most cameras (of those tried) with at most 1 % of the requests later than 250 ms end to end",
        ["shared MB/s", *SYSTEMS],
        table,
    )
    slow, fast = bandwidths[0], bandwidths[-1]
    page.seen(
        f"""At {slow / 1e6:g} MB/s {most('dynamic', slow)} cameras hold the bound under dynamic batching,
        {most('lazy', slow)} under LazyBatching and {most('ours', slow)} under exit_aware: the air is the limit, whoever
        serves. At {fast / 1e6:g} MB/s they are {most('dynamic', fast)}, {most('lazy', fast)} and {most('ours', fast)}:
        scheduling pays where the queue is at the server and not in front of it."""
    )


def main():
    figures.main("devices", "Devices and the uplink, end to end", make)
