// The figure: points on a canvas, axes as SVG above it.

const ink = () => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
const colourOf = (entry) => (entry.colour === "ink" ? ink() : entry.colour);

let figure = null;  // {marks, panels, tree, canvas, svg, colours}

/** Marks of a panel that have no place on its axes stand in a strip at its lower rim. */
const kRim = 18;

/** Arrows to where a place is beyond a panel's scales; none where it is not. */
function beyond(x, y, panel) {
  const up = y < panel.top ? "\u2191" : y > panel.floor ? "\u2193" : "";
  const across = x > panel.right ? "\u2192" : x < panel.left ? "\u2190" : "";
  return up + across;
}

/** Gives each mark its place in pixels; those without one keep NaN. */
function place(marks, panel, rim, colours) {
  const own = marks.filter((mark) => mark.facet === panel.index);
  const bottom = panel.bottom - (rim ? kRim : 0);
  panel.x = makeScale(state.x, panel.domainX, state.xs, [panel.left, panel.right], false);
  panel.y = makeScale(state.y, panel.domainY, state.ys, [bottom, panel.top], state.base !== "");
  panel.floor = bottom;
  for (const mark of own) {
    mark.px = panel.x.at(mark.x.mean);
    let y = panel.y.at(heightOf(mark));
    if (mark.kind === "saturated") {  // which the scale need not have room for
      mark.beyond = beyond(mark.px, y, panel);
      y = Math.min(Math.max(y, panel.top), bottom);
      mark.px = Math.min(Math.max(mark.px, panel.left), panel.right);
    }
    mark.atRim = mark.cell.done.length === 0 || !Number.isFinite(y);
    mark.py = mark.atRim ? panel.bottom - kRim / 2 : y;
    if (mark.kind === "undefined" && !Number.isFinite(mark.px)) mark.px = NaN;
    // Side by side, or one of them would hide the others.
    const atEdge = mark.beyond && mark.px >= panel.right;
    if (mark.beyond || mark.cell.done.length === 0)
      mark.px += (mark.beyond ? 18 : 12) * (mark.colour - (colours - 1) / (atEdge ? 1 : 2));
  }
  panel.marks = own;
}

/** Room for the numbers of the y axis and its title beside them. */
function leftMargin(domainY, rim) {
  const scale = makeScale(state.y, domainY, state.ys, [400, 0], state.base !== "");
  const axis = d3.create("svg:g").call(scale.axis(d3.axisLeft));
  const longest = d3.max(axis.selectAll("text").nodes(), (node) => node.textContent.length) || 0;
  return Math.max(58, 32 + Math.ceil(7 * longest), rim ? 74 : 0);
}

/** Instead of a figure or a table of which the filters leave nothing. */
function nothingLeft() {
  return make(
      "p", {class: "warning", id: "nothing"}, "Nothing left: no point passes the filters. ",
      make(
          "button", {
            type: "button",
            id: "reset-filters",
            onclick: () => change({filters: defaultState().filters}, "filters reset")
          },
          "Reset the filters"));
}

/** Draws all of the figure into `view`, which is empty. */
function drawChart(view) {
  const colours = colouring();
  const marks = makeMarks(colours);
  if (state.pareto) markPareto(marks);
  if (!marks.length) return view.append(nothingLeft());
  const width = Math.max(280, view.clientWidth);
  const placeable = (mark) => !placeOfAxis.has(state.x) || mark.x.mean === mark.x.mean;
  const domainX = valuesFor(marks.filter(placeable), "x");
  const domainY = valuesFor(marks, "y");
  const rim = marks.some(
      (mark) =>
          mark.cell.done.length === 0 || mark.kind === "undefined" || (state.ys === "log" && !(heightOf(mark) > 0)));
  const {panels, height} = panelsOf(width, leftMargin(domainY, rim));
  for (const panel of panels) {
    Object.assign(panel, {domainX, domainY});
    place(marks, panel, rim, Math.min(colours.entries.length, 8));
  }
  const ratio = window.devicePixelRatio || 1;
  const canvas = make("canvas", {
    width: Math.round(width * ratio),
    height: Math.round(height * ratio),
    style: `width:${width}px;height:${height}px`
  });
  const svg = d3.create("svg").attr("width", width).attr("height", height).attr("aria-hidden", "true").node();
  const shown = marks.filter((mark) => Number.isFinite(mark.px) && Number.isFinite(mark.py));
  figure = {
    marks: shown,
    panels,
    crowded: isCrowded(marks),
    canvas,
    svg,
    colours,
    width,
    height,
    ratio,
    tree: d3.quadtree(shown, (m) => m.px, (m) => m.py)
  };
  const box = make(
      "div", {
        id: "figure",
        class: "figure",
        tabindex: "0",
        role: "application",
        "aria-roledescription": "figure of points",
        "aria-label": figureLabel(shown),
        "aria-describedby": "keys",
        style: `height:${height}px`
      },
      canvas, svg);
  view.append(
      make("p", {class: "caption", id: "caption"}, caption(marks, shown)), legend(colours, marks), box,
      make("div", {id: "tip", class: "tip", hidden: true}));
  drawAxes();
  drawMarks();
  listen(box);
}

function drawAxes() {
  const svg = d3.select(figure.svg);
  for (const panel of figure.panels) {
    const group = svg.append("g");
    const bottomAxis = panel.x.axis(d3.axisBottom);
    group.append("g")
        .attr("class", "axis")
        .attr("transform", `translate(0,${panel.bottom})`)
        .call(bottomAxis.tickSizeOuter(0));
    group.append("g")
        .attr("class", "axis")
        .attr("transform", `translate(${panel.left},0)`)
        .call(panel.y.axis(d3.axisLeft).tickSizeOuter(0));
    group.selectAll(".axis .tick").filter(function() { return this.textContent === ""; }).remove();
    const wide = panel.right - panel.left;
    if (panel.x.band) turnLabels(group.select(".axis"), wide);
    const label = (text, x, y, turn) => group.append("text")
                                            .attr("class", "label")
                                            .attr("transform", `translate(${x},${y})${turn ? "rotate(-90)" : ""}`)
                                            .attr("text-anchor", "middle")
                                            .text(text);
    label(shortText(titleOf(state.x), Math.floor(wide / 7)), (panel.left + panel.right) / 2, panel.bottom + 38);
    const y = state.base !== "" ? `ratio to ${state.base}` : titleOf(state.y);
    label(
        shortText(y, Math.floor((panel.bottom - panel.top) / 7)), panel.left - panel.margin + 12,
        (panel.top + panel.bottom) / 2, true);
    if (panel.label !== null)
      label(
          shortText(`${shortName(state.facet)} ${panel.label}`, Math.floor(wide / 7)), (panel.left + panel.right) / 2,
          panel.top - 10);
    if (panel.floor < panel.bottom) {
      group.append("line")
          .attr("class", "rim")
          .attr("x1", panel.left)
          .attr("x2", panel.right)
          .attr("y1", panel.floor)
          .attr("y2", panel.floor);
      group.append("text")
          .attr("class", "rim")
          .attr("x", panel.left - 4)
          .attr("y", panel.bottom - 5)
          .attr("text-anchor", "end")
          .text(rimText(panel));
    }
  }
}

/** Names below an axis lean where they would run into each other. */
function turnLabels(axis, width) {
  const ticks = axis.selectAll(".tick text");
  const longest = d3.max(ticks.nodes(), (node) => node.textContent.length) || 0;
  if (longest * 6.5 * ticks.size() < width) return;
  const most = Math.max(4, Math.floor(width / ticks.size() / 6));
  if (most >= 7)
    ticks.each(function() { this.textContent = shortText(this.textContent, most); });
  else
    ticks.attr("transform", "rotate(-30)")
        .attr("text-anchor", "end")
        .each(function() { this.textContent = shortText(this.textContent, 9); });
}
