// Numbers beside a picture: boxes to type, and tables.

/**
 * The four numbers of a box, to type.
 * @param {object} ui
 * @param {{label: string, names: string[], read: () => number[], write: (box: number[]) => void,
 *   size: () => [number, number], into?: HTMLElement}} options names: traits to watch
 */
function corners(ui, { label, names, read, write, size, into = ui.controls }) {
  const inputs = SIDES.map(() => html("input", { type: "number", id: unique(), step: "any", min: 0 }));
  const refresh = () => {
    read().forEach((value, index) => {
      inputs[index].max = size()[index % 2];
      inputs[index].value = Number(value.toFixed(3));
    });
  };
  const take = (index) => {
    const box = [...read()];
    box[index] = inputs[index].value.trim() ? Number(inputs[index].value) : NaN;
    const problem = wrongBox(box, size());
    if (problem) ui.say(problem);
    else write(box);
    refresh();
  };
  const fields = inputs.map((input, index) => {
    input.addEventListener("change", () => take(index));
    return html("span", {}, html("label", { for: input.id }, SIDES[index]), input);
  });
  into.append(named(label, "cx-corners", fields));
  ui.onChange(names, refresh);
  refresh();
}

const SIDES = ["x1", "y1", "x2", "y2"];

/** Controls that belong together, with their name before them. */
function named(label, kind, controls) {
  const title = html("span", { class: "cx-label", id: unique() }, label);
  const inner = html("div", { class: kind }, ...controls);
  return html("div", { class: "cx-set", role: "group", "aria-labelledby": title.id }, title, inner);
}

/** What is wrong with a box that was typed, or nothing. */
function wrongBox([x1, y1, x2, y2], [width, height]) {
  if (![x1, y1, x2, y2].every(Number.isFinite)) return "A box is four numbers: x1, y1, x2, y2.";
  if (x2 <= x1) return `x2 (${number(x2)}) must be larger than x1 (${number(x1)}): the box keeps its place.`;
  if (y2 <= y1) return `y2 (${number(y2)}) must be larger than y1 (${number(y1)}): the box keeps its place.`;
  if (x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height) return "";
  return `The picture is ${number(width)} wide and ${number(height)} high: the box keeps its place.`;
}

/** Fill a table: what its columns are, and rows of cells, of which the first names the row. */
function fillTable(table, head, rows) {
  const title = html("tr", {}, ...head.map((text) => html("th", { scope: "col" }, text)));
  const lines = rows.map(({ marked = false, row: [name, ...cells] }) => {
    const first = html("th", { scope: "row" }, name);
    return html("tr", { class: marked && "cx-marked" }, first, ...cells.map((text) => html("td", {}, text)));
  });
  table.querySelector("thead").replaceChildren(title);
  table.querySelector("tbody").replaceChildren(...lines);
}

/** An empty table with a caption that is read out. */
function makeTable(caption, into) {
  const table = html("table", { class: "cx-table" }, html("caption", { class: "cx-hidden" }, caption));
  table.append(html("thead"), html("tbody"));
  into.append(html("div", { class: "cx-scroll" }, table));
  return table;
}
