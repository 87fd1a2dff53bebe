// Puts the page together when its data are there.

/** Draws what the state asks for. */
function show() {
  showControls();
  const view = element("view");
  view.replaceChildren();
  figure = null;
  document.body.classList.toggle("chosen", state.selected >= 0);  // before the figure is made: it leaves less room
  if (state.view === "table")
    drawTable(view);
  else
    drawChart(view);
  showDetails();
}

function startSweep() {
  element("title").textContent = `Results of ${meta.name}`;
  const {done, failed, text} = meta.state;
  const listed = allCells().filter((cell) => cell.status !== "done").length;
  const unnamed = meta.state.missing_pairs - listed;
  element("state").textContent = (text || `${done} points done${failed ? `, ${failed} failed` : ""}`) +
      (unnamed > 0 ? `; ${unnamed} settings and systems without a point are not shown` : "");
  document.title = `${meta.name}: results`;
  element("about").append(
      make(
          "p", {id: "keys"},
          "Keys in the figure: left and right go through the points, up and down to the next series, " +
              "Enter shows a point, Escape leaves it. The address keeps what is shown."),
      make("p", {}, `Made by fluidbatch ${meta.version} from ${meta.source}; drawn with D3.`));
  state = readState();
  show();
  addEventListener("hashchange", () => {
    state = readState();
    show();
  });
}

/** Draws again when `act` is due: after changes of size, of light and dark. */
function onChanges(act) {
  let waiting = 0;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(act, 100);
  });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", act);
}

if (meta.kind === "run")
  startRun();
else
  startSweep();
onChanges(meta.kind === "run" ? showRun : show);
document.documentElement.dataset.ready = Math.round(performance.now());
