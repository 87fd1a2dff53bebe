// The chosen point: its values, the command that gives it again, its configuration.

/** `[label, value]` lines of a table with a caption. */
function factsTable(captionText, rows) {
  return make(
      "table", {class: "facts"}, make("caption", {}, captionText),
      make(
          "tbody", {},
          ...rows.map(([name, value,
                        hint]) => make("tr", {title: hint}, make("th", {scope: "row"}, name), make("td", {}, value)))));
}

/** A text in a box with a button that copies it. */
function copyable(id, text, label) {
  const button = make(
      "button", {
        type: "button",
        id: id + "-copy",
        onclick: async () => {
          const good = await copyText(text, element(id));
          button.textContent = good ? "Copied" : "Selected: press Ctrl+C";
          say(button.textContent);
          setTimeout(() => (button.textContent = "Copy"), 3000);
        }
      },
      "Copy");
  return make("div", {class: "copy"}, make("h3", {}, label), make("pre", {id, tabindex: "0"}, text), button);
}

/** Files have no clipboard in some browsers: then the text is selected. */
async function copyText(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(node);
    try {
      return document.execCommand("copy");
    } catch {
      return false;
    }
  }
}

const commandOf = (row) => {
  const number = factData("point").at(row);
  return `fluidbatch run ${shellWord(meta.source)} --point ${number} --out ${
      shellWord(`runs/${meta.name}-point-${number}`)}`;
};

function showDetails() {
  const place = element("details");
  const row = state.selected;
  place.hidden = row < 0;
  document.body.classList.toggle("chosen", row >= 0);
  if (row < 0) return place.replaceChildren();
  const cell = allCells().find((each) => each.rows.includes(row));
  const status = factData("status").at(row);
  const head = make(
      "div", {class: "head"},
      make(
          "h2", {},
          status === "missing" ?
              "A point that is not done yet" :
              `Point ${factData("point").at(row)}${partOf(row) === kWhole ? "" : ", " + partOf(row)}`),
      make(
          "button", {
            type: "button",
            id: "close",
            "aria-label": "Close",
            onclick: () => {
              change({selected: -1});
              if (element("figure")) element("figure").focus();
            }
          },
          "\u00D7"));
  const parts = [
    head, note(cell, row, status),
    factsTable("Axes", axes.map((axis) => [shortName(axis.name), String(valueAt(axis.name, row)), axis.name]))
  ];
  if (cell.rows.length > 1) parts.push(replications(cell, row));
  if (status === "done") {
    parts.push(
        copyable("command", commandOf(row), "The command that gives it again"), exitShares(row),
        factsTable(
            "Statistics of this replication",
            statistics.map((s) => [plainName(s.name), statisticText(s, row), s.meaning])),
        configuration(row));
  }
  place.replaceChildren(...parts.filter(Boolean));
}

const exactText = (value, unit) =>
    make("span", {"data-value": Number.isFinite(value) ? value : "", title: String(value)}, withUnit(value, unit));

/** A statistic of a row; a share of which nothing was seen is no number. */
function statisticText(statistic, row) {
  const value = valueAt(statistic.name, row);
  if (statistic.share && value === 0) return `none seen in ${valueAt("requests", row)} requests`;
  return exactText(value, statistic.unit);
}

function note(cell, row, status) {
  if (status === "failed") return make("p", {class: "warning"}, "Failed: " + factData("message").at(row));
  if (status === "missing")
    return make("p", {class: "warning"}, "The results have no point of this setting and system.");
  const parts = [];
  if (factData("saturated").at(row) === 1)
    parts.push("Saturated: the backlog grew, so that the numbers depend on the run's length.");
  if (!cell.complete) parts.push(`Replications: ${progress(cell)}.`);
  return parts.length ? make("p", {class: "warning"}, parts.join(" ")) : null;
}

function replications(cell, row) {
  const button = (each) => make(
      "button", {
        type: "button",
        "aria-pressed": String(each === row),
        onclick: () => {
          state.selected = each;
          history.replaceState(null, "", "#" + fragment());
          showDetails();
        }
      },
      String(factData("replication").at(each)));
  return make(
      "div", {class: "replications"}, make("h3", {}, "Replications"), make("div", {}, ...cell.rows.map(button)));
}

/** Bars of the shares of completed requests by exit. */
function exitShares(row) {
  const shares = exitColumns.map((column) => columnData(column.column).at(row)).filter(Number.isFinite);
  if (!shares.length) return null;
  return make(
      "div", {}, make("h3", {}, "Shares of the exits"), make("p", {class: "caption"}, kExitNumbers), shareBars(shares));
}

const kExitNumbers =
    "Exits are numbered from 0, as in requests.csv; workload describe has the network's own names, such as exit1 for exit 0.";

function shareBars(shares) {
  return make(
      "table", {class: "shares"},
      make(
          "tbody", {},
          ...shares.map(
              (share, i) => make(
                  "tr", {}, make("th", {scope: "row"}, i === shares.length - 1 ? "final" : `exit ${i}`),
                  make("td", {}, make("span", {class: "bar", style: `width:${(100 * share).toFixed(2)}%`})),
                  make("td", {}, rounded(100 * share, 3) + " %")))));
}

function configuration(row) {
  const text = configurationOf(row);
  if (!text) return null;
  const save = make(
      "a", {
        download: `${meta.name}-point-${factData("point").at(row)}.yaml`,
        href: URL.createObjectURL(new Blob([text], {type: "text/yaml"}))
      },
      "Save as a file");
  return make(
      "details", {class: "configuration"}, make("summary", {}, "Configuration"), copyable("yaml", text, "Resolved"),
      save);
}
