// The points of a figure, on its canvas.

function drawMarks() {
  const context = figure.canvas.getContext("2d");
  context.setTransform(figure.ratio, 0, 0, figure.ratio, 0, 0);
  context.clearRect(0, 0, figure.width, figure.height);
  for (const panel of figure.panels) {
    context.save();
    context.beginPath();
    context.rect(panel.left - 8, panel.top - 8, panel.right - panel.left + 16, panel.bottom - panel.top + 16);
    context.clip();
    drawGrid(context, panel);
    drawSeries(context, panel);
    drawSymbols(context, panel);
    context.restore();
  }
}

function drawGrid(context, panel) {
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--grid").trim();
  context.lineWidth = 1;
  d3.select(figure.svg).selectAll("g > .axis:nth-child(2) .tick").each(function() {
    const y = Number(/,([\d.]+)/.exec(this.getAttribute("transform"))[1]);
    if (y < panel.top || y > panel.bottom) return;
    context.beginPath();
    context.moveTo(panel.left, Math.round(y) + 0.5);
    context.lineTo(panel.right, Math.round(y) + 0.5);
    context.stroke();
  });
}

/**
 * Lines through the means of a series and bands of their intervals: only through what was measured, with gaps
 * elsewhere.
 */
function drawSeries(context, panel) {
  if (state.show !== "means" || state.pareto || !placeOfAxis.has(state.x)) return;
  const connected = columns.get(state.x).numeric !== false;
  if (figure.crowded) return;
  for (const {values} of d3.nest().key((mark) => mark.series).entries(panel.marks)) {
    const entry = figure.colours.entries[values[0].colour];
    const good = (mark) => mark.kind === "measured" && Number.isFinite(mark.px) && !mark.atRim;
    context.fillStyle = context.strokeStyle = colourOf(entry);
    if (!connected) continue;
    const low = (mark) => bounded(panel, mark.y.low);
    const high = (mark) => bounded(panel, mark.y.high);
    context.globalAlpha = 0.18;
    context.beginPath();
    d3.area()
        .defined((mark) => good(mark) && Number.isFinite(mark.y.low))
        .x((mark) => mark.px)
        .y0(low)
        .y1(high)
        .context(context)(values);
    context.fill();
    context.globalAlpha = 0.9;
    context.lineWidth = 1.4;
    context.setLineDash(entry.dash ? [5, 3] : []);
    context.beginPath();
    d3.line().defined(good).x((mark) => mark.px).y((mark) => mark.py).context(context)(values);
    context.stroke();
    context.setLineDash([]);
  }
  context.globalAlpha = 1;
}

/** A value's place, not below the floor of its panel. */
function bounded(panel, value) {
  const y = panel.y.at(value);
  return Number.isFinite(y) ? Math.min(Math.max(y, panel.top), panel.floor) : panel.floor;
}

function drawSymbols(context, panel) {
  const many = panel.marks.length > 3000;
  const size = many ? 14 : panel.marks.length > 400 ? 28 : 50;
  const shapes = kShapes();
  const paths =
      figure.colours.entries.map((entry) => new Path2D(d3.symbol().type(shapes[entry.shape % 7]).size(size)()));
  const inks = figure.colours.entries.map(colourOf);
  for (const mark of panel.marks) {
    if (!Number.isFinite(mark.px)) continue;
    context.globalAlpha = mark.dimmed ? 0.3 : many ? 0.6 : 1;
    context.strokeStyle = context.fillStyle = inks[mark.colour];
    context.lineWidth = 1.3;
    if (!many && !figure.crowded && state.show === "means") drawBars(context, panel, mark);
    context.translate(mark.px, mark.py);
    drawSymbol(context, mark, paths[mark.colour], Math.sqrt(size) / 2, many);
    context.translate(-mark.px, -mark.py);
  }
  context.globalAlpha = 1;
  context.strokeStyle = ink();
  for (const mark of panel.marks) {  // above all others, which could hide them
    if (!mark.partly || !Number.isFinite(mark.px)) continue;
    context.translate(mark.px, mark.py);
    drawPartly(context, mark.partly, Math.sqrt(size) / 2);
    context.translate(-mark.px, -mark.py);
  }
}

/**
 * One mark around the origin: full where measured, hollow where not to be taken as such, a sign of its own without a
 * value.
 */
function drawSymbol(context, mark, path, radius, many) {
  if (mark.kind === "measured") {
    context.fill(path);
  } else if (mark.kind === "saturated") {
    context.stroke(path);
    if (!many) {
      context.font = "12px sans-serif";
      context.textAlign = mark.beyond ? "center" : "start";
      context.fillText("\u2020" + mark.beyond, mark.beyond ? 0 : radius + 2, mark.beyond ? 17 : -2);
    }
  } else {
    const r = radius + 1;
    context.beginPath();
    if (mark.kind === "none" || mark.kind === "least") {
      const down = mark.kind === "none" ? r : -r;
      context.moveTo(-r, -down);
      context.lineTo(r, -down);
      context.lineTo(0, down);
      context.closePath();
    } else if (mark.kind === "failed") {
      context.moveTo(-r, -r);
      context.lineTo(r, r);
      context.moveTo(-r, r);
      context.lineTo(r, -r);
    } else {
      context.setLineDash([2, 2]);
      context.arc(0, 0, r, 0, 7);
    }
    context.stroke();
    context.setLineDash([]);
  }
}

/** Beside a mark of which some replications are not there: a small cross where they failed, a dotted ring otherwise. */
function drawPartly(context, partly, radius) {
  const [x, y, r] = [radius + 4, radius + 4, 3];
  context.beginPath();
  if (partly === "failed") {
    context.moveTo(x - r, y - r);
    context.lineTo(x + r, y + r);
    context.moveTo(x - r, y + r);
    context.lineTo(x + r, y - r);
  } else {
    context.setLineDash([2, 1.5]);
    context.arc(x, y, r, 0, 7);
  }
  context.stroke();
  context.setLineDash([]);
}

/** Bars of intervals; of none seen, up to the bound. */
function drawBars(context, panel, mark) {
  const {low, high} = mark.y;
  if (mark.kind === "saturated") return;
  context.beginPath();
  if (Number.isFinite(low) && Number.isFinite(high) && mark.kind !== "failed") {
    context.moveTo(mark.px, bounded(panel, low));
    context.lineTo(mark.px, bounded(panel, high));
    if (mark.y.none) {
      context.moveTo(mark.px - 4, bounded(panel, high));
      context.lineTo(mark.px + 4, bounded(panel, high));
    }
  }
  if (mark.kind === "least") {  // how far up is not known
    const top = Math.max(mark.py - 24, panel.top);
    context.moveTo(mark.px, mark.py);
    context.lineTo(mark.px, top);
    context.moveTo(mark.px - 4, top + 5);
    context.lineTo(mark.px, top);
    context.lineTo(mark.px + 4, top + 5);
  }
  if (Number.isFinite(mark.x.low) && Number.isFinite(panel.x.at(mark.x.low))) {
    context.moveTo(panel.x.at(mark.x.mean < 0 ? mark.x.low : Math.max(mark.x.low, 0)), mark.py);
    context.lineTo(panel.x.at(mark.x.high), mark.py);
  }
  context.stroke();
}
