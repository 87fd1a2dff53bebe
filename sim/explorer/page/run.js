// The page of a run: its systems side by side.

function startRun() {
  element("title").textContent = `Run ${meta.name}`;
  document.title = `${meta.name}: run`;
  element("state").textContent =
      meta.systems.map((system) => system.label + (system.summary.saturated ? " (saturated \u2020)" : "")).join(", ");
  element("about").append(make("p", {}, `Made by fluidbatch ${meta.version} from ${meta.source}; drawn with D3.`));
  showRun();
}

const colourOfSystem = (i) => (i % 8 === 7 ? "var(--ink)" : palette()[i % 8]);
const dashOfSystem = (i) => ["", "6 3", "2 2", "8 3 2 3"][i % 4];

function showRun() {
  const view = element("view");
  view.replaceChildren(systemLegend());
  const width = Math.max(280, Math.min(view.clientWidth, 900));
  const withRequests = meta.systems.map((system, i) => ({...system, i})).filter((system) => system.requests);
  if (withRequests.length) {
    section(
        view, "Latency: share of requests above", "ccdf", ccdfCaption(withRequests),
        exceedanceFigure(withRequests, width));
    section(
        view, "Latency: histogram", "histogram", histogramCaption(withRequests), histogramFigure(withRequests, width));
    section(
        view, "Queue over time", "queue",
        "Requests that wait for their first step: lines are means over the bins of time, areas go up to the most in " +
            "each bin. The warm-up is included." + cutText(withRequests, "upper"),
        ...queueFigures(withRequests, width));
  } else {
    view.append(make(
        "p", {class: "warning"},
        "Latencies and the queue are drawn from requests.csv, which this run has not written (outputs: {requests_csv: " +
            "true})."));
  }
  const exits = meta.systems.flatMap(exitsOf);
  if (exits.length) {
    section(
        view, "Shares of the exits", "exits", "Of the measured requests that were completed. " + kExitNumbers,
        ...exits.map(({label, shares}) => make("div", {class: "exits"}, make("h3", {}, label), shareBars(shares))));
  }
  view.append(
      statisticsTable("statistics", "Statistics", meta.systems), ...partsTables(), make("h2", {}, "Again"),
      copyable(
          "command",
          `fluidbatch run ${shellWord(meta.source + "resolved.yaml")} --out ${
              shellWord("runs/" + meta.name + "-again")}`,
          "The command that gives this run again"),
      ...meta.systems.map(
          (system, i) => make(
              "details", {class: "configuration"}, make("summary", {}, `Configuration of ${system.label}`),
              copyable("yaml-" + i, system.configuration, "Resolved"))));
}

/** The shares of a system, or of each service of a site, whose exits are of different networks. */
function exitsOf({label, summary}) {
  const known = (part) => Array.isArray(part.exit_shares) && part.exit_shares.length > 0;
  const services = (summary.services || [])
                       .map((each, k) => ({...each, label: `${label}, ${each.name || `service ${k}`}`}))
                       .filter(known)
                       .map((each) => ({label: each.label, shares: each.exit_shares}));
  return known(summary) ? [{label, shares: summary.exit_shares}, ...services] : services;
}

/** The systems that scales are made for: those that are not saturated, where there are any. */
function scaled(systems) {
  const steady = systems.filter((system) => !system.summary.saturated);
  return steady.length ? steady : systems;
}

/** What a caption says of curves that leave the figure. */
function cutText(systems, edge) {
  const cut = systems.filter((system) => !scaled(systems).includes(system)).map((system) => system.label);
  return cut.length ?
      ` The scale is made for what is not saturated; cut at the ${edge} edge (\u2020): ${cut.join(", ")}.` :
      "";
}

function section(view, title, id, text, ...nodes) {
  view.append(
      make("section", {id, "aria-label": title}, make("h2", {}, title), make("p", {class: "caption"}, text), ...nodes));
}

function systemLegend() {
  return make("ul", {class: "legend", "aria-label": "Systems"}, ...meta.systems.map((system, i) => {
    const svg = d3.create("svg").attr("width", 26).attr("height", 10).attr("aria-hidden", "true");
    svg.append("line").attr("x1", 1).attr("x2", 25).attr("y1", 5).attr("y2", 5).attr(
        "style", `stroke:${colourOfSystem(i)};stroke-width:2;stroke-dasharray:${dashOfSystem(i)}`);
    return make(
        "li", {}, svg.node(),
        system.label + (system.summary.saturated ? " \u2020 saturated: its numbers depend on the run's length" : ""));
  }));
}

/** The statistics of systems, or of the parts of one, side by side: each is `{label, summary}`. */
function statisticsTable(id, title, systems) {
  const shown = meta.statistics.filter((s) => systems.some(({summary}) => Number.isFinite(summary.statistics[s.name])));
  const cell = ({summary}, s) => {
    const value = summary.statistics[s.name];
    const none = (s.name === "slo_violation_rate" || s.name === "drop_rate") && value === 0;
    if (none) return `none seen in ${summary.statistics.requests}`;
    return Number.isFinite(value) ? exactText(value, s.unit) : "n/a";
  };
  const heading = ({label, summary}) => make("th", {scope: "col"}, label + (summary.saturated ? " \u2020" : ""));
  const line = (s) => make(
      "tr", {title: s.meaning}, make("th", {scope: "row"}, plainName(s.name)),
      ...systems.map((system) => make("td", {}, cell(system, s))));
  const table = make(
      "table", {class: "points", id},
      make(
          "thead", {}, make("tr", {}, make("th", {scope: "col", class: "text"}, "statistic"), ...systems.map(heading))),
      make("tbody", {}, ...shown.map(line)));
  return make(
      "section", {"aria-label": title}, make("h2", {}, title),
      make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": title}, table));
}

/** Of a site, a table of its services and NPUs; of others, nothing. */
function partsTables() {
  return meta.systems.filter(({summary}) => summary.services).map((system, i) => {
    const {services, npus} = system.summary;
    const parts = [
      ...services.map((each, k) => ({label: each.name || `service ${k}`, summary: each})),
      ...npus.map((each, k) => ({label: `NPU ${k} (${each.npu})`, summary: each}))
    ];
    return statisticsTable(`parts-${i}`, `Services and NPUs of ${system.label}`, parts);
  });
}

let frames = 0;

/** The middle of a figure, for curves that leave it: an attribute of theirs. */
const inside = (svg) => `url(#${svg.select("clipPath").attr("id")})`;

/** Marks at an edge that a curve of a saturated system leaves the figure there. */
function edgeMark(svg, system, text, x, y) {
  svg.append("text")
      .attr("class", "edge")
      .attr("style", `fill:${colourOfSystem(system.i)};font:12px sans-serif;text-anchor:end`)
      .attr("x", x)
      .attr("y", y)
      .text("\u2020" + text);
}

/** An empty figure with axes; `label`: what it shows, for those who can't see it. */
function frame(width, height, x, y, xLabel, yLabel, label) {
  const margin = {left: 62, right: 14, top: 10, bottom: 44};
  x.range([margin.left, width - margin.right]);
  y.range([height - margin.bottom, margin.top]);
  const svg = d3.create("svg")
                  .attr("width", width)
                  .attr("height", height)
                  .attr("viewBox", `0 0 ${width} ${height}`)
                  .attr("role", "img")
                  .attr("aria-label", label);
  svg.append("g")
      .attr("class", "axis")
      .attr("transform", `translate(0,${height - margin.bottom})`)
      .call(d3.axisBottom(x).ticks(Math.floor(width / 90)).tickFormat((v) => rounded(v)));
  const left = d3.axisLeft(y).ticks(5);
  svg.append("g")
      .attr("class", "axis")
      .attr("transform", `translate(${margin.left},0)`)
      .call(
          y.base ? left.tickFormat((v) => (isPlainTick(v, 1e9) ? rounded(v) : "")) :
                   left.tickFormat((v) => rounded(v)));
  svg.append("clipPath")
      .attr("id", `inside-${frames++}`)
      .append("rect")
      .attr("x", margin.left)
      .attr("y", margin.top)
      .attr("width", width - margin.left - margin.right)
      .attr("height", height - margin.top - margin.bottom);
  svg.append("text")
      .attr("class", "label")
      .attr("x", (margin.left + width - margin.right) / 2)
      .attr("y", height - 8)
      .attr("text-anchor", "middle")
      .text(xLabel);
  svg.append("text")
      .attr("class", "label")
      .attr("transform", `translate(14,${(margin.top + height - margin.bottom) / 2})rotate(-90)`)
      .attr("text-anchor", "middle")
      .text(yLabel);
  return svg;
}

const curveStyle = (i) => `fill:none;stroke:${colourOfSystem(i)};stroke-width:1.6;stroke-dasharray:${dashOfSystem(i)}`;

function ccdfCaption(systems) {
  const counts = systems.map((system) => `${system.requests.measured} of ${system.label}`).join(", ");
  const dropped = systems.filter((system) => system.requests.dropped)
                      .map((system) => `${system.requests.dropped} of ${system.label}`)
                      .join(", ");
  return `Share of the measured requests that took longer than a latency, on a logarithmic scale: ${
             counts}. A curve ends where one request is left.${cutText(systems, "right")}` +
      (dropped ? ` Dropped, and in no curve: ${dropped}.` : "");
}

function exceedanceFigure(systems, width) {
  const most = d3.max(scaled(systems), (system) => d3.max(system.requests.exceedance, (point) => point[0])) || 1;
  const least = d3.min(systems, (system) => 0.7 / Math.max(system.requests.measured, 1));
  const [x, y] = [d3.scaleLinear().domain([0, 1e3 * most]), d3.scaleLog().domain([least, 1])];
  const svg = frame(
      width, 340, x, y, "latency (ms)", "share above",
      "Share of requests above each latency: " + quantilesText(systems));
  for (const system of systems) {
    const points = [[0, 1], ...system.requests.exceedance].filter((point) => point[1] > 0);
    svg.append("path")
        .attr("style", curveStyle(system.i))
        .attr("clip-path", inside(svg))
        .attr("d", d3.line().x((p) => x(1e3 * p[0])).y((p) => y(p[1])).curve(d3.curveStepAfter)(points));
    const cut = d3.bisector((p) => p[0]).right(points, most) - 1;  // the last one that is in the figure
    if (cut < points.length - 1) edgeMark(svg, system, "\u2192", x.range()[1] - 2, y(points[cut][1]) - 4);
  }
  return svg.node();
}

function quantilesText(systems) {
  return systems
      .map((system) => {
        const {p50_latency_s: half, p99_latency_s: tail} = system.summary.statistics;
        return `${system.label} median ${withUnit(half, "s")}, 99th percentile ${withUnit(tail, "s")}`;
      })
      .join("; ");
}

function histogramCaption(systems) {
  const beyond =
      systems
          .map((system) => `${system.requests.histogram[system.requests.histogram.length - 1] || 0} of ${system.label}`)
          .join(", ");
  return `Measured requests by latency, as a share per bin. Beyond the right edge: ${beyond}.`;
}

function histogramFigure(systems, width) {
  const bin = 1e3 * systems[0].requests.bin_width_s;
  const bins = Math.max(1, systems[0].requests.histogram.length - 1);
  const share = (system, k) => (100 * system.requests.histogram[k]) / Math.max(system.requests.measured, 1);
  const most = d3.max(systems, (system) => d3.max(d3.range(bins), (k) => share(system, k))) || 1;
  const [x, y] = [d3.scaleLinear().domain([0, bin * bins || 1]), d3.scaleLinear().domain([0, 1.05 * most])];
  const svg =
      frame(width, 280, x, y, "latency (ms)", "requests (%)", "Histogram of latencies: " + quantilesText(systems));
  for (const system of systems) {
    const steps = d3.range(bins + 1).map((k) => [k * bin, k < bins ? share(system, k) : 0]);
    svg.append("path")
        .attr("style", curveStyle(system.i))
        .attr("d", d3.line().x((p) => x(p[0])).y((p) => y(p[1])).curve(d3.curveStepAfter)(steps));
  }
  return svg.node();
}

/** One below the other, with the same scales. */
function queueFigures(systems, width) {
  const end = d3.max(systems, ({requests}) => requests.queue_width_s * requests.queue_mean.length) || 1;
  const top = Math.max(1, 1.05 * (d3.max(scaled(systems), ({requests}) => d3.max(requests.queue_most)) || 0));
  return systems.map((system) => make("div", {}, make("h3", {}, system.label), queueFigure(system, width, end, top)));
}

function queueFigure(system, width, end, top) {
  const {queue_mean: mean, queue_most: most, queue_width_s: step} = system.requests;
  const [x, y] = [d3.scaleLinear().domain([0, end]), d3.scaleLinear().domain([0, top])];
  const svg = frame(
      width, 170, x, y, "time (s)", "requests waiting",
      `Queue of ${system.label} over time: at most ${d3.max(most)}, ${rounded(d3.mean(mean) || 0)} on average`);
  const at = (k) => x((k + 0.5) * step);
  svg.append("path")
      .attr("style", `fill:${colourOfSystem(system.i)};opacity:0.25`)
      .attr("clip-path", inside(svg))
      .attr("d", d3.area().x((_, k) => at(k)).y0(y(0)).y1((v) => y(v))(most));
  svg.append("path")
      .attr("style", `fill:none;stroke:${colourOfSystem(system.i)};stroke-width:1.2`)
      .attr("clip-path", inside(svg))
      .attr("d", d3.line().x((_, k) => at(k)).y((v) => y(v))(mean));
  if (d3.max(most) > top) edgeMark(svg, system, "\u2191", x.range()[1] - 2, y.range()[1] + 12);
  return svg.node();
}
