// What is asked for: fields above the figure.

function select(key, label, options, title) {
  const box = make("select", {
    id: "choose-" + key,
    title,
    onchange: (event) => change({[key]: event.target.value}, `${label}: ${event.target.selectedOptions[0].textContent}`)
  });
  for (const group of options) {
    const place = group.label ? make("optgroup", {label: group.label}) : box;
    if (place !== box) box.append(place);
    for (const [value, text, hint] of group.items)
      place.append(make("option", {value, title: hint, selected: state[key] === value}, text));
  }
  return make("label", {}, make("span", {}, label), box);
}

const ofAxes = () => ({
  label: "Axes",
  items: axes.filter((axis) => many(axis.name)).map((axis) => [axis.name, shortName(axis.name), axis.name])
});
const ofStatistics = (all = true) => ({
  label: "Statistics",
  items: statistics.filter((s) => all || s.better !== "neither").map((s) => [s.name, titleOf(s.name), s.meaning])
});
const kScales = [{items: [["linear", "linear"], ["log", "log"]]}];

function showControls() {
  const place = element("controls");
  const active = document.activeElement && document.activeElement.id;
  const open = place.querySelector("details") && place.querySelector("details").open;
  const none = {items: [["", "none"]]};
  const base =
      placeOfAxis.has(state.colour) ? valuesOfAxis(state.colour).map((v) => [String(v), shortText(String(v), 30)]) : [];
  place.replaceChildren(
      make(
          "div", {class: "fields"}, select("view", "View", [{items: [["chart", "figure"], ["table", "table"]]}]),
          select("x", "Across (x)", [ofAxes(), ofStatistics()]), select("xs", "x scale", kScales),
          select("y", "Up (y)", [ofStatistics()]), select("ys", "y scale", kScales),
          select("colour", "Colour", [none, ofAxes(), ofStatistics()]),
          select("facet", "Panels", [none, {...ofAxes(), items: ofAxes().items.filter(([name]) => name !== state.x)}]),
          select("show", "Points", [{items: [["means", "means, intervals"], ["points", "each replication"]]}]),
          select(
              "base", "Ratio to", [{items: [["", "no ratio"], ...base]}],
              "Of y, to a value of what the colours tell, paired by replication"),
          paretoField(),
          make(
              "button", {type: "button", id: "reset", onclick: () => change(defaultState(), "all as at first")},
              "Reset")),
      filters(open));
  place.hidden = false;
  if (active && element(active)) element(active).focus();
}

/** Turns the Pareto view on, and gives it two statistics that have a better side. */
function paretoField() {
  const box = make("input", {
    type: "checkbox",
    id: "choose-pareto",
    checked: state.pareto === "on",
    onchange: (event) => {
      if (!event.target.checked) return change({pareto: ""}, "Pareto view off");
      const known = statistics.filter((s) => s.better !== "neither").map((s) => s.name);
      const good = (name) => known.includes(name);
      const y = good(state.y) ? state.y : known[0];
      const first =
          ["throughput_hz", "goodput_hz", "slo_violation_rate", ...known].find((name) => good(name) && name !== y);
      change(
          {pareto: "on", y, x: good(state.x) && state.x !== y ? state.x : first, base: "", view: "chart"},
          "Pareto view on");
    }
  });
  return make("label", {class: "check"}, box, make("span", {}, "Pareto view"));
}

function filters(open) {
  const varied = axes.filter((axis) => many(axis.name));
  const kept = Object.keys(state.filters).length;
  return make(
      "details", {class: "filters", open}, make("summary", {}, kept ? `Filters (${kept} in force)` : "Filters"),
      make("div", {class: "fields"}, ...varied.map(filterOf)));
}

/** Check boxes for the values of an axis; of many numbers, the least and the most. */
function filterOf(axis) {
  const values = valuesOfAxis(axis.name);
  const kept = state.filters[axis.name];
  const set = (chosen) => {
    const next = {...state.filters};
    if (chosen.length === values.length)
      delete next[axis.name];
    else
      next[axis.name] = new Set(chosen.map(String));
    change({filters: next}, `${shortName(axis.name)}: ${chosen.length} of ${values.length} values`);
  };
  const is = (value) => !kept || kept.has(String(value));
  const id = (i) => `filter-${placeOfAxis.get(axis.name)}-${i}`;
  const box = make("fieldset", {"data-axis": axis.name}, make("legend", {title: axis.name}, shortName(axis.name)));
  if (axis.numeric && values.length > 12) {
    const inside = values.filter(is);
    const end = (i, value, text) => make("label", {}, make("span", {}, text), make("input", {
                                           type: "number",
                                           step: "any",
                                           id: id(i),
                                           value,
                                           onchange: () => {
                                             const [low, high] = [0, 1].map((k) => Number(element(id(k)).value));
                                             set(values.filter((v) => v >= low && v <= high));
                                           }
                                         }));
    box.append(
        end(0, inside.length ? inside[0] : values[0], "from"),
        end(1, inside.length ? inside[inside.length - 1] : values[0], "to"));
    return box;
  }
  values.slice(0, 40).forEach(
      (value, i) => box.append(make(
          "label", {class: "check"}, make("input", {
            type: "checkbox",
            id: id(i),
            checked: is(value),
            onchange: (event) => set(values.filter((v) => (v === value ? event.target.checked : is(v))))
          }),
          make("span", {}, shortText(String(value), 30)))));
  if (values.length > 40) box.append(make("p", {}, `and ${values.length - 40} more`));
  return box;
}
