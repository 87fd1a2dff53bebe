// What is shown, as the address of the page keeps it.

const many = (name) => valuesOfAxis(name).length > 1;

/** Services and NPUs of sites are rows beside those of whole systems; at first they are not shown. */
const kPart = "part";
const kWhole = "whole";

/** What a page shows that nobody has asked anything of. */
function defaultState() {
  const varied = axes.filter((axis) => many(axis.name) && axis.name !== kPart);
  const longest = (list) =>
      list.reduce((a, b) => (a && valuesOfAxis(a.name).length >= valuesOfAxis(b.name).length ? a : b), undefined);
  const x = longest(varied.filter((axis) => axis.numeric)) || varied.find((axis) => axis.name !== "system") ||
      varied[0] || axes[0];
  const rest = varied.filter((axis) => axis !== x);
  const colour = rest.find((axis) => axis.name === "system") || rest[0];
  const y = columns.get("mean_latency_s") || statistics[0];
  return {
    view: "chart",
    x: x.name,
    y: y ? y.name : "",
    colour: colour ? colour.name : "",
    facet: "",
    xs: "linear",
    ys: "linear",
    show: "means",
    base: "",
    pareto: "",
    filters: placeOfAxis.has(kPart) ? {[kPart]: new Set([kWhole])} : {},
    selected: -1,
    sort: "",
    find: "",
    page: 0
  };
}

const kPlain = ["view", "x", "y", "colour", "facet", "xs", "ys", "show", "base", "pareto", "sort", "find"];
const kChoices = {
  view: ["chart", "table"],
  xs: ["linear", "log"],
  ys: ["linear", "log"],
  show: ["means", "points"],
  pareto: ["", "on"]
};

let state = null;

/** What the fragment says, where it can be shown; the rest by default. */
function readState() {
  const words = new URLSearchParams(location.hash.slice(1));
  const read = defaultState();
  const columnKeys = new Set(["x", "y", "colour", "facet"]);
  for (const key of kPlain) {
    if (!words.has(key)) continue;
    const word = words.get(key);
    if (kChoices[key] && !kChoices[key].includes(word)) continue;
    if (columnKeys.has(key) && word !== "" && !isPlotted(word)) continue;
    if ((key === "x" && word === "") || (key === "y" && !statistics.some((each) => each.name === word))) continue;
    read[key] = word;
  }
  read.page = Math.max(0, Math.floor(Number(words.get("page")) || 0));
  const point = words.get("point");
  if (point !== null) read.selected = rowOfPoint(Number(point), words.get("part") || kWhole);
  for (const [key, word] of words) {
    const name = key.startsWith("only.") ? key.slice(5) : "";
    if (!placeOfAxis.has(name)) continue;
    const kept = readList(word);
    if (kept)
      read.filters[name] = new Set(kept.map(String));
    else
      delete read.filters[name];
  }
  return tidied(read);
}

/** A list in JSON; nothing where the word is not one. */
function readList(word) {
  try {
    const list = JSON.parse(word);
    return Array.isArray(list) ? list : null;
  } catch {
    return null;
  }
}

/** A state without what does not go together. */
function tidied(read) {
  if (!placeOfAxis.has(read.facet) || read.facet === read.x) read.facet = "";
  if (!placeOfAxis.has(read.colour) || !valuesOfAxis(read.colour).map(String).includes(read.base)) read.base = "";
  if (![read.x, read.y].every((name) => columns.get(name).better && columns.get(name).better !== "neither"))
    read.pareto = "";
  return read;
}

const isPlotted = (name) => placeOfAxis.has(name) || (columns.has(name) && columns.get(name).role === "statistic");

const partOf = (row) => (placeOfAxis.has(kPart) ? valueAt(kPart, row) : kWhole);

/** The row of a part of the point of that number, -1 where there is none. */
function rowOfPoint(number, part) {
  const data = factData("point");
  for (let row = 0; row < meta.rows; row++)
    if (data.at(row) === number && partOf(row) === part) return row;
  return -1;
}

/** The fragment that gives the state again: what differs from the default. */
function fragment() {
  const usual = defaultState();
  const words = new URLSearchParams();
  for (const key of kPlain)
    if (state[key] !== usual[key]) words.set(key, state[key]);
  if (state.page > 0) words.set("page", state.page);
  if (state.selected >= 0) {
    words.set("point", factData("point").at(state.selected));
    if (partOf(state.selected) !== kWhole) words.set("part", partOf(state.selected));
  }
  const list = (filters, name) => (filters[name] ? JSON.stringify([...filters[name]]) : "all");
  for (const {name} of axes) {
    const kept = list(state.filters, name);
    if (kept !== list(usual.filters, name)) words.set("only." + name, kept);
  }
  return words.toString();
}

/** Changes what is shown. */
function change(changes, announce = "") {
  Object.assign(state, changes);
  // Who asks for parts wants to see them.
  if (changes.colour === kPart || changes.facet === kPart || changes.x === kPart) delete state.filters[kPart];
  tidied(state);
  if (!("page" in changes) && !("selected" in changes)) state.page = 0;
  history.replaceState(null, "", "#" + fragment());
  show();
  if (announce) say(announce);
}

/** Whether a cell passes the filters. */
function passes(cell) {
  for (const [name, kept] of Object.entries(state.filters)) {
    if (!kept.has(String(cell.values[placeOfAxis.get(name)]))) return false;
  }
  return true;
}

/**
 * `workload.arrivals.rho` as `rho`, where no other axis ends so; `slo.latency_ms` as it is: an end with a unit, or that
 * is called as a statistic, would be taken for something measured.
 */
function shortName(name) {
  const parts = name.split(".");
  const end = parts[parts.length - 1];
  if (!placeOfAxis.has(name) || axes.filter((axis) => axis.name.split(".").pop() === end).length > 1) return name;
  const measured = /_(ms|s|hz|j|w|js)$/.test(end) || statistics.some((statistic) => statistic.name === end);
  return parts.slice(measured ? -2 : -1).join(".");
}

/** What an axis of a figure or a column of a table is called. */
function titleOf(name) {
  const column = columns.get(name);
  if (!column || column.role !== "statistic") return shortName(name);
  const plain = plainName(name);
  const unit = column.unit === "s" ? "ms" : column.unit === "1" ? "" : column.unit;
  return plain + (unit ? ` (${unit})` : "");
}
