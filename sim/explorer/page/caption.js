// What is said of a figure: its caption, its name, its legend.

function figureLabel(shown) {
  const facets = state.facet ? `, panels by ${shortName(state.facet)}` : "";
  return `${titleOf(state.y)} against ${titleOf(state.x)}, ${shown.length} points${facets}`;
}

/** So many series that their bands would hide each other: then there are points alone. */
const kMostSeries = 60;
const isCrowded = (marks) => new Set(marks.map((mark) => mark.series)).size > kMostSeries;

/** What is seen, in words. */
function caption(marks, shown) {
  const y = state.base !== "" ?
      `Ratio of ${titleOf(state.y).replace(/ \(.*/, "")} to that of ${shortName(state.colour)} ${state.base}` :
      titleOf(state.y);
  const colour = state.colour ? `, by ${titleOf(state.colour)}` : "";
  const kinds = new Set(marks.map((mark) => mark.y.kind).concat(marks.map((mark) => mark.x.kind)));
  const bands = [];
  if (isCrowded(marks)) {
    bands.push(
        `too many series for lines, bands and bars (more than ${kMostSeries}): filters or other axes make them fewer`);
  } else if (state.show === "means") {
    const of = [];
    if (kinds.has("replications")) of.push("the mean over replications (Student's t)");
    if (kinds.has("own")) of.push("single runs");
    if (kinds.has("paired")) of.push("the ratio, paired by replication");
    if (of.length) bands.push(`bands and bars: 95 % intervals of ${of.join(" or of ")}`);
  } else {
    bands.push(
        state.base !== "" ? "each point is one replication, over the same one of the base" :
                            "each point is one replication");
  }
  bands.push(...noneCaption(marks));
  if (marks.some((mark) => mark.partly))
    bands.push("a small cross or dotted ring beside a mark: not all of its replications are done");
  if (state.pareto) bands.push("bright: no other point is better in both (saturated ones take no part)");
  if (marks.some((mark) => mark.beyond)) bands.push("\u2020\u2191 saturated and beyond the scale, at its edge");
  const alike = axes.filter(
      (axis) => ![state.x, state.colour, state.facet].includes(axis.name) &&
          new Set(marks.map((m) => m.cell.values[placeOfAxis.get(axis.name)])).size > 1);
  if (alike.length && !isCrowded(marks))
    bands.push(`points of one colour differ in ${alike.map((axis) => shortName(axis.name)).join(", ")}`);
  const lost = marks.length - shown.length;
  if (lost > 0) bands.push(`${lost} without a place on these axes`);
  return `${Number(y[1]) >= 0 ? y : y[0].toUpperCase() + y.slice(1)} against ${titleOf(state.x)}${colour}${
      bands.map((text) => "; " + text).join("")}.`;
}

/** What triangles mean: of shares, and of ratios of them. */
function noneCaption(marks) {
  const ratio = state.base !== "";
  const texts = [];
  if (marks.some((mark) => mark.x.none || (mark.kind === "none" && !ratio)))
    texts.push("\u25BD none seen: the bar goes up to 3/n, the rule of three");
  if (ratio && marks.some((mark) => mark.kind === "none"))
    texts.push("\u25BD none seen: the bar goes up to the largest ratio with 95 % confidence");
  if (marks.some((mark) => mark.kind === "least"))
    texts.push("\u25B3 none seen in the base: the ratio is at least that, with 95 % confidence");
  return texts;
}

/** What stands in the strip at the lower rim. */
function rimText(panel) {
  const zero = panel.marks.some((mark) => mark.atRim && mark.y.mean === 0);
  const without = panel.marks.some((mark) => mark.atRim && mark.y.mean !== 0);
  return zero && without ? "0, no value" : zero ? "0" : "no value";
}

/** The colours with their shapes, and what the other signs mean. */
function legend(colours, marks) {
  const list = make("ul", {class: "legend", "aria-label": "Legend"});
  const shapes = kShapes();
  const used = new Set(marks.map((mark) => mark.colour));
  const title = colours.name ? make("li", {class: "of"}, titleOf(colours.name)) : null;
  const item = (path, text, style) => {
    const svg = d3.create("svg")
                    .attr("width", 14)
                    .attr("height", 14)
                    .attr("viewBox", "-7 -7 14 14")
                    .attr("aria-hidden", "true");
    svg.append("path").attr("d", path).attr("style", style);
    return make("li", {}, svg.node(), text);
  };
  if (title) list.append(title);
  if (colours.name) {
    colours.entries.forEach((entry, i) => {
      if (!used.has(i)) return;
      const colour = entry.colour === "ink" ? "var(--ink)" : entry.colour;
      list.append(
          item(d3.symbol().type(shapes[entry.shape % 7]).size(50)(), shortText(entry.label, 40), `fill:${colour}`));
    });
  }
  const line = "fill:none;stroke:var(--ink);stroke-width:1.3";
  const signs = {
    saturated: ["M-4,-4h8v8h-8z", "hollow \u2020: saturated"],
    failed: ["M-4,-4L4,4M-4,4L4,-4", "failed"],
    missing: [d3.symbol().type(d3.symbolCircle).size(50)(), "not done yet"],
    undefined: [d3.symbol().type(d3.symbolCircle).size(50)(), "not defined"],
    none: ["M-4,-4H4L0,4Z", "none seen"],
    least: ["M-4,4H4L0,-4Z", "at least: none seen in the base"]
  };
  for (const [kind, [path, text]] of Object.entries(signs)) {
    const count = d3.sum(marks, (mark) => (mark.kind === kind ? mark.cell.count || 1 : 0));
    if (count)
      list.append(item(
          path, `${text} (${count})`,
          line + (kind === "missing" || kind === "undefined" ? ";stroke-dasharray:2 2" : "")));
  }
  const partly = {
    failed: ["M2,2L6,6M2,6L6,2", "some replications failed"],
    missing: ["M1,4a3,3 0 1 0 6,0a3,3 0 1 0 -6,0", "some replications not done yet"]
  };
  for (const [kind, [path, text]] of Object.entries(partly)) {
    const count = d3.sum(marks, (mark) => mark.partly === kind);
    if (count)
      list.append(item(path, `${text} (${count})`, line + (kind === "missing" ? ";stroke-dasharray:2 1.5" : "")));
  }
  return list;
}
