// Scales and axes of a panel.

/** A scale over what the marks have, with room at its ends. `range`: pixels. */
function makeScale(name, values, kind, range, ratio) {
  if (columns.get(name).numeric === false) {
    const domain = valuesOfAxis(name).filter((value) => values.has(value));
    const band = d3.scalePoint().domain(domain).range(range).padding(0.6);
    return {at: (v) => band(v), axis: (side) => side(band).tickFormat((v) => shortText(String(v), 16)), band: true};
  }
  const numbers = [...values].filter(Number.isFinite);
  const positive = numbers.filter((v) => v > 0);
  const seconds = !placeOfAxis.has(name) && columns.get(name).unit === "s" && !ratio;
  const format = (v) => rounded(seconds ? v * 1e3 : v);
  if (kind === "log" && positive.length) {
    let [low, high] = [d3.min(positive), d3.max(positive)];
    if (low === high) [low, high] = [low / 2, high * 2];
    const room = Math.pow(high / low, 0.04);
    const log = d3.scaleLog().domain([low / room, high * room]).range(range);
    const plain = (v) => (isPlainTick(seconds ? v * 1e3 : v, high / low) ? format(v) : "");
    return {at: (v) => (v > 0 ? log(v) : NaN), axis: (side) => side(log).ticks(6).tickFormat(plain), log: true};
  }
  let [low, high] = numbers.length ? d3.extent(numbers) : [0, 1];
  if (low === high) [low, high] = [low === 0 ? 0 : Math.min(0, low * 2), high === 0 ? 1 : Math.max(0, high * 2)];
  if (low > 0 && low < 0.5 * high && !placeOfAxis.has(name)) low = 0;
  const room = 0.04 * (high - low);
  const linear = d3.scaleLinear().domain([low === 0 ? 0 : low - room, high + room]).range(range);
  const count = Math.max(2, Math.min(8, Math.floor(Math.abs(range[1] - range[0]) / 60)));
  return {at: (v) => linear(v), axis: (side) => side(linear).ticks(count).tickFormat(format)};
}

/** Of a logarithmic axis, the ticks that are written: 1, 2 and 5 of each decade, over many decades 1 alone. */
function isPlainTick(value, span) {
  const first = Number(value.toExponential(0)[0]);
  return span > 1e4 ? first === 1 : span > 30 ? [1, 2, 5].includes(first) : true;
}

/** Text cut to a width, with what is missing shown. */
function shortText(text, most) { return text.length > most ? text.slice(0, most - 1) + "\u2026" : text; }

/** All values that a direction of the figure must have room for: of saturated points only where there are no others. */
function valuesFor(marks, direction) {
  const values = new Set();
  const counted = placeOfAxis.has(direction === "x" ? state.x : state.y) ?
      marks :
      marks.filter((mark) => mark.kind !== "saturated");
  for (const mark of counted.some((mark) => Number.isFinite(mark[direction].mean)) ? counted : marks) {
    const value = mark[direction];
    values.add(value.mean);
    if (mark.cell.done.length === 0 && direction === "y") values.delete(value.mean);
    // Of what is not negative, an interval is not drawn below 0.
    for (const end of [value.low, value.high])
      if (Number.isFinite(end)) values.add(value.mean >= 0 ? Math.max(end, 0) : end);
  }
  values.delete(NaN);
  return values;
}

/** Where panels stand: as many side by side as there is room for; `left`: of each one's width for its y axis. */
function panelsOf(width, left) {
  const labels = state.facet ?
      valuesOfAxis(state.facet)
          .filter((v) => !state.filters[state.facet] || state.filters[state.facet].has(String(v))) :
      [null];
  const across = Math.max(1, Math.min(labels.length, Math.floor(width / 300)));
  const margin = {left, right: 12, top: state.facet ? 26 : 12, bottom: 46};
  const each = {
    width: width / across,
    height: labels.length > 1 ? Math.max(240, Math.min(400, (0.7 * width) / across)) :
                                Math.max(280, Math.min(560, width * 0.56))
  };
  const panels = labels.map((label, i) => ({
                              label,
                              index: label === null ? 0 : valuesOfAxis(state.facet).indexOf(label),
                              margin: left,
                              left: (i % across) * each.width + margin.left,
                              right: (i % across + 1) * each.width - margin.right,
                              top: Math.floor(i / across) * each.height + margin.top,
                              bottom: Math.floor(i / across + 1) * each.height - margin.bottom,
                            }));
  return {panels, height: Math.ceil(labels.length / across) * each.height};
}
