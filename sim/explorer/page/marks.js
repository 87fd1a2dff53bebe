// From cells to marks: where each stands, and how much is known of it.

const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches && !matchMedia("print").matches;
/** Okabe and Ito's, the blue a little lighter on dark paper; the eighth is ink. */
const palette = () =>
    [isDark() ? "#2A8CD0" : "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7",
     isDark() ? "#F0E442" : "#B8A900", "ink"];
const kShapes = () =>
    [d3.symbolCircle, d3.symbolSquare, d3.symbolTriangle, d3.symbolDiamond, d3.symbolCross, d3.symbolStar,
     d3.symbolWye];

/** The colour, the shape and the name of each value of what colours tell. */
function colouring() {
  const name = state.colour;
  if (!name) return {name, of: () => 0, entries: [{label: "all", colour: palette()[0], shape: 0}]};
  if (placeOfAxis.has(name) && valuesOfAxis(name).length <= 24) {
    const place = placeOfAxis.get(name);
    const values = valuesOfAxis(name);
    const index = new Map(values.map((value, i) => [value, i]));
    const entries = values.map(
        (value, i) => ({label: String(value), shape: i % 7, dash: Math.floor(i / 8), colour: palette()[i % 8]}));
    return {name, of: (cell) => index.get(cell.values[place]), entries};
  }
  return shading(name);
}

/** Colours of numbers, in steps: the same colour is the same range in all panels. */
function shading(name) {
  const number = placeOfAxis.has(name) ? (cell) => Number(cell.values[placeOfAxis.get(name)]) :
                                         (cell) => estimate(cell, name).mean;
  const values = allCells().filter(passes).map(number).filter(Number.isFinite).sort(d3.ascending);
  const [low, high] = [values[0] || 0, values[values.length - 1] || 0];
  const steps = high > low ? 7 : 1;
  const step = (high - low) / steps;
  const unit = placeOfAxis.has(name) ? "" : columns.get(name).unit;
  const entries =
      d3.range(steps).map((i) => ({
                            shape: 0,
                            colour: d3.interpolateViridis(0.05 + (0.87 * i) / Math.max(steps - 1, 1)),
                            label: `${withUnit(low + i * step, unit)} to ${withUnit(low + (i + 1) * step, unit)}`
                          }));
  entries.push({shape: 0, colour: "ink", label: "not defined"});
  const of = (cell) => {
    const value = number(cell);
    return Number.isFinite(value) ? Math.min(steps - 1, Math.floor((value - low) / (step || 1))) : steps;
  };
  return {name, of, entries, shaded: true};
}

/** How a function of cells gives a value for one axis of the figure: `{mean, low, high, none, kind}`. */
function measureOf(name, useBase) {
  if (placeOfAxis.has(name)) {
    const place = placeOfAxis.get(name);
    return (cell) => ({mean: cell.values[place], low: NaN, high: NaN, kind: "axis"});
  }
  if (useBase && state.base !== "" && placeOfAxis.has(state.colour)) {
    const find = baseFinder(state.colour, state.base);
    return (cell) => {
      const base = cell.replication === undefined ? find(cell) : sameReplication(find(cell), cell);
      return base && base.done.length && cell.done.length ? ratioTo(cell, base, name) :
                                                            {mean: NaN, low: NaN, high: NaN, kind: "no base"};
    };
  }
  return (cell) => estimate(cell, name);
}

/** What a mark is: measured, saturated, failed, missing, none (zero of n), least (zero of the base), undefined. */
function kindOf(cell, y) {
  if (cell.done.length === 0) return cell.status;
  const defined = y.kind === "axis" || Number.isFinite(y.mean) || y.none;
  if (defined && (cell.saturated || y.baseSaturated)) return "saturated";
  if (y.none) return Number.isFinite(y.mean) ? "none" : "least";
  return defined ? "measured" : "undefined";
}

/** Where a mark stands: of what is only known to be at least something, there. */
const heightOf = (mark) => (mark.kind === "least" ? mark.y.low : mark.y.mean);

/** One replication as a cell of its own. */
function single(cell, row) {
  return {
    ...cell,
    rows: [row],
    done: [row],
    failed: [],
    complete: true,
    replication: factData("replication").at(row),
    saturated: factData("saturated").at(row) === 1
  };
}

/** The replication of `base` that has the number of the one in `cell`. */
function sameReplication(base, cell) {
  const row = base && base.done.find((each) => factData("replication").at(each) === cell.replication);
  return row === undefined ? undefined : single(base, row);
}

/** A cell as its replications: those that are done, and once each those that have failed and those that lack. */
function replicationsOf(cell) {
  const list = cell.done.map((row) => single(cell, row));
  if (cell.failed.length)
    list.push({...cell, rows: cell.failed, done: [], status: "failed", count: cell.failed.length});
  if (lacking(cell)) list.push({...cell, done: [], failed: [], status: "missing", count: lacking(cell)});
  return list;
}

/** All marks that the filters leave, in the order in which the keyboard goes through them. */
function makeMarks(colours) {
  const measureX = measureOf(state.x, false);
  const measureY = measureOf(state.y, true);
  const xPlace = placeOfAxis.get(state.x);
  const facetPlace = placeOfAxis.get(state.facet);
  const marks = [];
  const series = new Map();
  for (const cell of allCells()) {
    if (!passes(cell)) continue;
    const colour = colours.of(cell);
    const facet = facetPlace === undefined ? 0 : valuesOfAxis(state.facet).indexOf(cell.values[facetPlace]);
    const key = cell.values.map((v, i) => (i === xPlace ? "" : v)).join("\u0000");
    if (!series.has(key)) series.set(key, series.size);
    const shown = state.show === "points" ? replicationsOf(cell) : [cell];
    for (const each of shown) {
      const x = measureX(each);
      const y = measureY(each);
      marks.push({
        cell: each,
        row: each.done.length ? each.done[0] : each.rows[0],
        x,
        y,
        colour,
        facet,
        series: series.get(key),
        partly: each.done.length === 0 || each.complete ? "" :
            each.failed.length                          ? "failed" :
                                                          "missing",
        kind: kindOf(each, y)
      });
    }
  }
  const rank = columns.get(state.x).numeric === false ? (v) => valuesOfAxis(state.x).indexOf(v) : Number;
  marks.forEach((mark) => (mark.rank = rank(mark.x.mean)));
  marks.sort((a, b) => a.facet - b.facet || a.colour - b.colour || a.series - b.series || a.rank - b.rank);
  return marks;
}

/** Which marks no other one of their panel is better than in both statistics; saturated ones take no part. */
function markPareto(marks) {
  const sign = (name) => (columns.get(name).better === "higher" ? -1 : 1);
  const [sx, sy] = [sign(state.x), sign(state.y)];
  for (const panel of d3.nest().key((m) => m.facet).entries(marks)) {
    const open = panel.values.filter(
        (m) => (m.kind === "measured" || m.kind === "none") && Number.isFinite(m.x.mean) && Number.isFinite(m.y.mean));
    open.sort((a, b) => sx * (a.x.mean - b.x.mean) || sy * (a.y.mean - b.y.mean));
    let best = Infinity;
    let bestX = NaN;
    for (const mark of open) {
      const y = sy * mark.y.mean;
      mark.front = y < best || (y === best && mark.x.mean === bestX);
      if (mark.front) [best, bestX] = [y, mark.x.mean];
    }
  }
  marks.forEach((mark) => (mark.dimmed = !mark.front));
}

const kKindWords = {
  saturated: "saturated: the backlog grew, the number depends on the run's length",
  failed: "failed",
  missing: "not done yet",
  undefined: "not defined here",
};

/** What a screen reader, and the tip, say of a mark. */
function describe(mark) {
  const parts = axes.filter((axis) => many(axis.name))
                    .map((axis) => `${shortName(axis.name)} ${mark.cell.values[placeOfAxis.get(axis.name)]}`);
  for (const [name, value, ratio] of [[state.x, mark.x, false], [state.y, mark.y, state.base !== ""]]) {
    if (placeOfAxis.has(name)) continue;
    const text = valueText(name, value, ratio);
    const title = titleOf(name).replace(/ \(.*/, "");
    parts.push(columns.get(name).unit === title ? text : `${title} ${text}`);  // "4800 requests"
  }
  if (mark.cell.replication !== undefined) parts.push(`replication ${mark.cell.replication}`);
  if (mark.partly) parts.push("replications: " + progress(mark.cell));
  if (kKindWords[mark.kind])
    parts.push((mark.cell.count ? `${mark.cell.count} replications ` : "") + kKindWords[mark.kind]);
  if (mark.dimmed === false) parts.push("on the Pareto front");
  return parts.join(", ");
}

/** A value with its interval. */
function valueText(name, value, ratio) {
  const text = (number) =>
      (ratio && Number.isFinite(number) ? rounded(number, 3) + "x" : withUnit(number, columns.get(name).unit));
  if (value.none) {
    return Number.isFinite(value.high) ? `none seen in ${value.none} requests, at most ${text(value.high)}` :
                                         `at least ${text(value.low)}: none seen in ${value.none} requests of the base`;
  }
  const interval = Number.isFinite(value.low) ? ` [${text(value.low)}, ${text(value.high)}]` : "";
  return text(value.mean) + interval;
}
