// Pointing at marks, with the mouse and with the keyboard.

let focused = -1;  // place in figure.marks

function listen(box) {
  focused = state.selected < 0 ? -1 : figure.marks.findIndex((mark) => mark.cell.rows.includes(state.selected));
  showRing(focused);
  box.addEventListener("keydown", onKey);
  box.addEventListener("focus", () => {
    if (focused < 0 && figure.marks.length) moveTo(0);
  });
  box.addEventListener("mousemove", (event) => showTip(nearest(event)));
  box.addEventListener("mouseleave", () => showTip(null));
  box.addEventListener("click", (event) => {
    const mark = nearest(event);
    if (!mark) return;
    focused = figure.marks.indexOf(mark);
    showRing(focused);
    choose(mark);
  });
}

function nearest(event) {
  const frame = figure.canvas.getBoundingClientRect();
  return figure.tree.find(event.clientX - frame.left, event.clientY - frame.top, 24) || null;
}

function showTip(mark) {
  const tip = element("tip");
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = describe(mark);
  const box = element("figure");
  tip.style.left = Math.max(4, Math.min(mark.px + 14, figure.width - tip.offsetWidth - 4)) + "px";
  tip.style.top = box.offsetTop + Math.max(0, mark.py - tip.offsetHeight - 12) + "px";
}

/** A ring around the focused mark. */
function showRing(index) {
  const mark = figure.marks[index];
  const ring = d3.select(figure.svg).selectAll(".ring").data(mark ? [mark] : []);
  ring.exit().remove();
  ring.enter()
      .append("circle")
      .attr("class", "ring")
      .attr("r", 10)
      .merge(ring)
      .attr("cx", (m) => m.px)
      .attr("cy", (m) => m.py);
}

function moveTo(index) {
  focused = Math.max(0, Math.min(index, figure.marks.length - 1));
  const mark = figure.marks[focused];
  showRing(focused);
  showTip(mark);
  say(`${describe(mark)}; ${focused + 1} of ${figure.marks.length}`);
}

/** The mark nearest in x in the next series (`step` 1) or the one before; the same mark where there is none. */
function inNextSeries(step) {
  const from = figure.marks[focused];
  const key = (mark) => mark.facet + "|" + mark.colour + "|" + mark.series;
  let i = focused;
  while (figure.marks[i] && key(figure.marks[i]) === key(from)) i += step;
  if (!figure.marks[i]) return focused;
  const other = key(figure.marks[i]);
  let best = i;
  for (; figure.marks[i] && key(figure.marks[i]) === other; i += step) {
    if (Math.abs(figure.marks[i].rank - from.rank) <= Math.abs(figure.marks[best].rank - from.rank)) best = i;
  }
  return best;
}

const kMoves = {
  ArrowRight: () => focused + 1,
  ArrowLeft: () => focused - 1,
  ArrowDown: () => inNextSeries(1),
  ArrowUp: () => inNextSeries(-1),
  Home: () => 0,
  End: () => figure.marks.length - 1,
  PageDown: () => focused + 10,
  PageUp: () => focused - 10,
};

function onKey(event) {
  if (!figure.marks.length || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key in kMoves) {
    moveTo(kMoves[event.key]());
  } else if (event.key === "Enter" || event.key === " ") {
    if (focused < 0) moveTo(0);
    choose(figure.marks[focused]);
    element("details").focus();
  } else if (event.key === "Escape") {
    showTip(null);
    change({selected: -1});
    element("figure").focus();
  } else {
    return;
  }
  event.preventDefault();
}

function choose(mark) {
  const hadRoom = state.selected < 0;
  state.selected = mark.row;
  history.replaceState(null, "", "#" + fragment());
  if (hadRoom) {
    show();
    element("figure").focus();
  } else {
    showDetails();
  }
  say("chosen: " + describe(mark));
}
