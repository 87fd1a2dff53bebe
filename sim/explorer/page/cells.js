// Points put together: replications of one setting and system are one cell. The estimates are those of `compare`.

/** Half of the 95 % interval of the mean of independent values, by Student's t; NaN for fewer than two. */
function meanInterval(values) {
  const n = values.length;
  if (n === 0) return {mean: NaN, half: NaN};
  let mean = 0;
  for (const value of values) mean += value / n;
  if (n < 2) return {mean, half: NaN};
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  const t = meta.students_t[Math.min(n - 1, meta.students_t.length) - 1];
  return {mean, half: t * Math.sqrt(squares / (n - 1) / n)};
}

/** Ratio of means, its interval from the residuals value - ratio x base. */
function pairedRatio(values, bases) {
  const base = meanInterval(bases).mean;
  if (!(base > 0)) return {mean: NaN, low: NaN, high: NaN};
  const ratio = meanInterval(values).mean / base;
  const half = meanInterval(values.map((value, i) => value - ratio * bases[i])).half / base;
  return {mean: ratio, low: Math.max(ratio - half, 0), high: ratio + half};
}

/** The bound, with 95 % confidence, of a share that none of so many requests showed. */
const noneOf = (requests) => 3 / requests;

/** All cells of the file, in the order of their first rows. Each is `{rows, values, index, state}`. */
const allCells = (() => {
  let cells = null;
  return () => {
    if (cells) return cells;
    cells = [];
    const data = axes.map((axis) => columnData(axis.column));
    const status = factData("status");
    const saturated = factData("saturated");
    const all = factData("all_replications");
    const places = new Map();
    for (let row = 0; row < meta.rows; row++) {
      const values = data.map((column) => column.at(row));
      const key = data.map((column, i) => (column.codes ? column.codes[row] : values[i])).join("|");
      let cell = places.get(key);
      if (!cell) {
        cell = {
          index: cells.length,
          rows: [],
          done: [],
          failed: [],
          values,
          saturated: false,
          status: "missing",
          complete: true
        };
        places.set(key, cell);
        cells.push(cell);
      }
      cell.rows.push(row);
      const of = status.at(row);
      if (of === "done") {
        cell.done.push(row);
        cell.saturated = cell.saturated || saturated.at(row) === 1;
        cell.complete = cell.complete && all.at(row) === 1;
        cell.status = "done";
      } else if (of === "failed") {
        cell.complete = false;
        cell.failed.push(row);
        if (cell.status !== "done") cell.status = "failed";
      } else {
        cell.complete = false;
      }
    }
    return cells;
  };
})();

/** How many of the replications that a cell was to have at least are neither done nor failed. */
const lacking = (cell) => (cell.complete ? 0 : Math.max(meta.replications - cell.done.length - cell.failed.length, 0));

/** "2 of 3 done, 1 failed", of a cell that has some of its replications, but not all. */
function progress(cell) {
  const least = cell.done.length >= meta.replications ? "at least " : "";
  return `${cell.done.length} of ${least}${meta.replications} done` +
      (cell.failed.length ? `, ${cell.failed.length} failed` : "");
}

const placeOfAxis = new Map(axes.map((axis, i) => [axis.name, i]));

/** Name of the statistic that has the half-width of a run's own interval of `name`. */
function ownInterval(name) {
  const match = /^(.*?)(_s|_hz)?$/.exec(name);
  const own = match[1] + "_ci95" + (match[2] || "");
  return columns.has(own) ? own : null;
}

/**
 * The value of a statistic over the cell's replications: `{mean, low, high, none, kind}`. `none`: not one of so many
 * requests was counted, so that `high` is a bound by the rule of three. `kind` says what the interval is.
 */
function estimate(cell, name) {
  const column = columns.get(name);
  const data = columnData(column.column);
  const {mean, half} = meanInterval(cell.done.map((row) => data.at(row)));
  const result = {mean, low: mean - half, high: mean + half, kind: cell.done.length > 1 ? "replications" : "none"};
  if (cell.done.length === 1 && state.show !== "points") {
    const row = cell.done[0];
    const own = ownInterval(name);
    if (column.low && columns.has(column.low)) {
      Object.assign(result, {low: valueAt(column.low, row), high: valueAt(column.high, row), kind: "own"});
    } else if (own) {
      const width = valueAt(own, row);
      if (Number.isFinite(width))
        Object.assign(result, {low: Math.max(mean - width, 0), high: mean + width, kind: "own"});
    }
  }
  if (column.share && mean === 0 && !cell.saturated) {
    const requests = d3.sum(cell.done, (row) => valueAt("requests", row));
    if (requests > 0) Object.assign(result, {low: 0, high: noneOf(requests), none: requests, kind: "rule of three"});
  }
  return result;
}

/** The largest ratio of shares, with 95 % confidence, where none of `requests` counted (sim/measure/confidence.h). */
const noneAgainst = (requests, baseCount, baseRequests) =>
    (baseRequests / requests) * Math.expm1(Math.log(20) / baseCount);

/** The one-sided bound of a ratio of shares of which one is of nobody; nothing elsewhere. */
function boundOfRatio(cell, base, data) {
  const sample = (of) => {
    const requests = of.done.map((row) => valueAt("requests", row));
    return {requests: d3.sum(requests), counted: d3.sum(of.done, (row, i) => Math.round(data.at(row) * requests[i]))};
  };
  const [own, other] = [sample(cell), sample(base)];
  if ((own.counted > 0) === (other.counted > 0)) return null;
  if (other.counted > 0) {
    const high = noneAgainst(own.requests, other.counted, other.requests);
    return {mean: 0, low: 0, high, none: own.requests, kind: "rule of three"};
  }
  const low = 1 / noneAgainst(other.requests, own.counted, own.requests);
  return {mean: NaN, low, high: NaN, none: other.requests, kind: "rule of three"};
}

/** The ratio of a statistic to that of another cell, paired by replication. */
function ratioTo(cell, base, name) {
  const data = columnData(columns.get(name).column);
  const byReplication = new Map(base.done.map((row) => [factData("replication").at(row), data.at(row)]));
  const pairs = cell.done.map((row) => [data.at(row), byReplication.get(factData("replication").at(row))])
                    .filter((pair) => pair[1] !== undefined);
  if (cell === base)
    return {mean: meanInterval(pairs.map((pair) => pair[1])).mean > 0 ? 1 : NaN, low: NaN, high: NaN, kind: "none"};
  const open = cell.saturated || base.saturated;
  if (columns.get(name).share && !open) {
    const bound = boundOfRatio(cell, base, data);
    if (bound) return bound;
  }
  const ratio = pairedRatio(pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1]));
  const without = open || pairs.length < 2;
  return {
    mean: ratio.mean,
    low: without ? NaN : ratio.low,
    high: without ? NaN : ratio.high,
    kind: without ? "none" : "paired",
    baseSaturated: base.saturated
  };
}

/** A function from cells to those with the same values but `value` of the axis `name`. */
function baseFinder(name, value) {
  const place = placeOfAxis.get(name);
  const key = (values) => values.map((v, i) => (i === place ? "" : String(v))).join("\u0000");
  const bases = new Map(
      allCells().filter((cell) => String(cell.values[place]) === value).map((cell) => [key(cell.values), cell]));
  return (cell) => bases.get(key(cell.values));
}
