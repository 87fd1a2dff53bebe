// The cells as a table that sorts and filters.

const kRowsOfPage = 100;

/** The columns: axes, replications, the statistics of the figure's axes and of its colours. */
function tableColumns() {
  const shown = [...new Set([state.x, state.y, state.colour])].filter(
      (name) => columns.has(name) && columns.get(name).role === "statistic");
  const list =
      axes.filter((axis) => many(axis.name)).map((axis) => ({
                                                   id: axis.name,
                                                   title: shortName(axis.name),
                                                   axis,
                                                   value: (cell) => cell.values[placeOfAxis.get(axis.name)],
                                                   text: (cell) => String(cell.values[placeOfAxis.get(axis.name)])
                                                 }));
  list.push({
    id: "n",
    title: "replications",
    value: (cell) => cell.done.length,
    text: (cell) => cell.done.length + (cell.complete ? "" : " (not all)")
  });
  for (const name of shown) {
    const measure = measureOf(name, name === state.y);
    const ratio = name === state.y && state.base !== "";
    const known = new Map();
    const of = (cell) => {
      if (!known.has(cell)) known.set(cell, measure(cell));
      return known.get(cell);
    };
    list.push({
      id: name,
      of,
      title: ratio ? `ratio of ${plainName(name)} to ${state.base}` : titleOf(name),
      value: (cell) => of(cell).mean,
      text: (cell) => (cell.done.length ? valueText(name, of(cell), ratio) : "-")
    });
  }
  list.push({id: "state", title: "state", value: stateText, text: stateText});
  return list;
}

function stateText(cell) {
  if (cell.done.length === 0) return cell.status === "failed" ? "failed" : "not done yet";
  const parts = cell.complete ? [] : [progress(cell)];
  if (cell.saturated) parts.push("saturated \u2020");
  return parts.join(", ") || "done";
}

function sorted(cells, list) {
  const [id, way] = [state.sort.replace(/^-/, ""), state.sort.startsWith("-") ? -1 : 1];
  const column = list.find((each) => each.id === id);
  if (!column) return cells;
  const key = new Map(cells.map((cell) => [cell, column.value(cell)]));
  const undefinedLast = (v) => (typeof v === "number" && !Number.isFinite(v) ? 1 : 0);
  return cells.slice().sort((a, b) => {
    const [u, v] = [key.get(a), key.get(b)];
    return undefinedLast(u) - undefinedLast(v) ||
        way * (typeof u === "number" ? d3.ascending(u, v) : String(u).localeCompare(String(v)));
  });
}

function drawTable(view) {
  if (!allCells().some(passes)) return view.append(nothingLeft());
  const list = tableColumns();
  const find = make("input", {
    type: "search",
    id: "find",
    value: state.find,
    oninput: (event) => {
      state.find = event.target.value;
      state.page = 0;
      history.replaceState(null, "", "#" + fragment());
      fill();
    }
  });
  const box = make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of points"});
  view.append(
      make("label", {class: "find"}, make("span", {}, "Rows that have"), find),
      make("p", {class: "caption", id: "count", role: "status"}), box, make("div", {class: "pages", id: "pages"}));
  const fill = () => fillTable(box, list);
  fill();
}

function fillTable(box, list) {
  const words = state.find.toLowerCase().split(/\s+/).filter(Boolean);
  let cells = allCells().filter(passes);
  if (words.length) {
    cells = cells.filter((cell) => {
      const text = list.map((column) => column.text(cell).toLowerCase()).join("\n");
      return words.every((word) => text.includes(word));
    });
  }
  cells = sorted(cells, list);
  const pages = Math.max(1, Math.ceil(cells.length / kRowsOfPage));
  const page = Math.min(state.page, pages - 1);
  const part = cells.slice(page * kRowsOfPage, (page + 1) * kRowsOfPage);
  element("count").textContent =
      `${cells.length} of ${allCells().length} settings and systems; means over replications with 95 % intervals`;
  const table = make(
      "table", {id: "table", class: "points", "aria-describedby": "count"},
      make("thead", {}, make("tr", {}, ...list.map(heading))),
      make("tbody", {}, ...part.map((cell) => tableRow(cell, list))));
  box.replaceChildren(table);
  const go = (to, text) => make(
      "button", {type: "button", disabled: to < 0 || to >= pages, onclick: () => change({page: to}, `page ${to + 1}`)},
      text);
  element("pages").replaceChildren(
      ...(pages > 1 ? [go(page - 1, "Before"), make("span", {}, `page ${page + 1} of ${pages}`), go(page + 1, "Next")] :
                      []));
}

function heading(column) {
  const order = state.sort === column.id ? "ascending" : state.sort === "-" + column.id ? "descending" : "none";
  const sign = {ascending: " \u25B2", descending: " \u25BC", none: ""}[order];
  return make(
      "th", {scope: "col", class: column.axis && !column.axis.numeric ? "text" : "", "aria-sort": order},
      make(
          "button", {
            type: "button",
            id: "sort-" + column.id,
            onclick: () => change({sort: (order === "ascending" ? "-" : "") + column.id}, `sorted by ${column.title}`)
          },
          column.title + sign));
}

/** The numbers of a cell of the table in all their digits, for those who read the page by a program. */
function exact(column, cell) {
  if (!column.of || cell.done.length === 0) return {};
  const {mean, low, high} = column.of(cell);
  return {"data-mean": mean, "data-low": low, "data-high": high};
}

function tableRow(cell, list) {
  const row = cell.done.length ? cell.done[0] : cell.rows[0];
  const pick = () => {
    state.selected = row;
    history.replaceState(null, "", "#" + fragment());
    document.body.classList.add("chosen");
    showDetails();
    document.querySelectorAll("#table tr[aria-selected=true]")
        .forEach((each) => each.setAttribute("aria-selected", "false"));
    line.setAttribute("aria-selected", "true");
  };
  const line = make(
      "tr", {
        tabindex: "0",
        "aria-selected": String(cell.rows.includes(state.selected)),
        onclick: pick,
        onkeydown: (event) => {
          if (event.key === "Enter") {
            pick();
            element("details").focus();
          } else if (event.key === "ArrowDown" && line.nextSibling) {
            line.nextSibling.focus();
          } else if (event.key === "ArrowUp" && line.previousSibling) {
            line.previousSibling.focus();
          } else {
            return;
          }
          event.preventDefault();
        }
      },
      ...list.map(
          (column) => make(
              "td", {class: column.axis && !column.axis.numeric ? "text" : "", ...exact(column, cell)},
              column.text(cell))));
  return line;
}
