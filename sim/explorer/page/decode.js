// The data of the page: columns, decoded when they are asked for.

const element = (id) => document.getElementById(id);
const meta = JSON.parse(element("meta").textContent);

/** Bytes of base 64. */
function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The values of a column as `{at(row), codes, values}`; the last two only where few values are repeated. */
function decode(json, rows) {
  const column = JSON.parse(json);
  const value = (v) => (v === null ? NaN : v);
  if (column.kind === "constant") {
    const only = value(column.value);
    return {at: () => only, codes: new Uint8Array(rows), values: [only]};
  }
  const buffer = bytesOf(column.data).buffer;
  if (column.kind === "numbers") {
    const numbers = new Float64Array(buffer);
    return {at: (row) => numbers[row]};
  }
  const codes = new {1: Uint8Array, 2: Uint16Array, 4: Uint32Array}[column.bytes](buffer);
  const values = column.values.map(value);
  return {at: (row) => values[codes[row]], codes, values};
}

const decoded = new Map();

/** The column that stands in the element `id`; the same object each time. */
function columnData(id) {
  if (!decoded.has(id)) {
    decoded.set(id, decode(element(id).textContent, meta.rows));
  }
  return decoded.get(id);
}

const ofRole = (role) => (meta.columns || []).filter((column) => column.role === role);
const axes = ofRole("axis");
const statistics = ofRole("statistic");
const exitColumns = ofRole("exit");
for (const axis of axes)  // `requests` is a key of configurations, too
  if (statistics.some((statistic) => statistic.name === axis.name)) axis.name += " (axis)";
/** Axes and statistics by name. */
const columns = new Map([...axes, ...statistics].map((column) => [column.name, column]));
const facts = new Map(ofRole("fact").map((column) => [column.name, column]));

/** What is known of each row beside axes and statistics. */
const factData = (name) => columnData(facts.get(name).column);

/** The value of the column called `name` in a row. */
const valueAt = (name, row) => columnData(columns.get(name).column).at(row);

/** The different values of an axis, numbers in rising order, texts in that of the file. */
const valuesOfAxis = (() => {
  const known = new Map();
  return (name) => {
    if (!known.has(name)) {
      const column = columns.get(name);
      const data = columnData(column.column);
      const distinct =
          data.values ? [...data.values] : [...new Set(Array.from({length: meta.rows}, (_, row) => data.at(row)))];
      if (column.numeric) distinct.sort((a, b) => a - b);
      known.set(name, distinct.filter((v) => v === v));
    }
    return known.get(name);
  };
})();

/** The configuration of a row as YAML; empty where there is none. */
function configurationOf(row) {
  if (!decoded.has("configurations")) {
    decoded.set("configurations", JSON.parse(element("configurations").textContent));
  }
  const {lines, bases, points} = decoded.get("configurations");
  const [base, ...changes] = points[row];
  if (base === undefined) return "";
  const codes = bases[base].slice();
  for (let i = 0; i < changes.length; i += 2) codes[changes[i]] = changes[i + 1];
  return codes.map((code) => lines[code]).join("\n") + "\n";
}

/** A word in a shell: as it is where it can't be taken for something else. */
function shellWord(text) {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : "'" + text.replace(/'/g, "'\\''") + "'";
}

/** An element with attributes and children; texts are never read as HTML. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on"))
      node.addEventListener(name.slice(2), value);
    else if (value === true)
      node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null)
      node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Tells a screen reader. */
function say(text) { element("live").textContent = text; }

/** Three to four digits, as tables of the program have them. */
function rounded(value, digits = 4) {
  if (!Number.isFinite(value)) return "n/a";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(digits - 1).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(digits)));
}

/** `p99_9_latency_s` as `p99.9 latency`, `slo_violation_rate` as `SLO violation rate`. */
const plainName = (name) => name.replace(/_(s|hz|j|w|js)$/, "")
                                .replace(/^p(\d+)_(\d+)_/, "p$1.$2_")
                                .replace(/_/g, " ")
                                .replace(/\b(antt|dram|mac|slo|stp)\b/g, (word) => word.toUpperCase());

/** A value with its unit, seconds as ms. */
function withUnit(value, unit) {
  if (!Number.isFinite(value)) return "n/a";
  if (unit === "s") return rounded(value * 1e3) + " ms";
  return rounded(value) + (unit && unit !== "1" ? " " + unit : "");
}
