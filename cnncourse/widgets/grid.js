// A matrix of numbers in cells: one tab stop, arrow keys inside, hover, press, typing; marks for windows.

const SMALLEST = 24; // pixels: what a finger can hit
const EDGE = 3; // pixels around the cells, for the frame

/**
 * A matrix whose cells can be chosen, pressed or edited.
 * @param {object} ui from frame
 * @param {object} options
 * @param {string} options.label stands above, and is read out
 * @param {string} options.role a name of the palette: the colour of the frame
 * @param {number} [options.cell] largest side of a cell in pixels
 * @param {(row, column, value) => string} [options.describe] what is read out for a cell
 * @param {(row, column) => void} [options.onSelect] the reader pointed at a cell, or went there by arrow keys
 * @param {(row, column, dragged: boolean) => void} [options.onPress] pressed, by pointer, Enter or the space bar
 * @param {(row, column, value: number) => void} [options.onEdit] typed another number into a cell
 * @param {() => boolean} [options.drag] whether a pressed pointer goes on pressing the cells that it enters
 * @param {HTMLElement} [options.into]
 * @returns {{element: HTMLElement, scroll: HTMLElement, draw: (state: object) => void, side: () => number}}
 */
function grid(ui, options) {
  const plain = { cell: 40, into: ui.body, describe: describeCell, drag: () => false };
  const self = { ui, ...plain, ...options, at: [0, 0], cells: [] };
  self.svg = svg("svg", { role: "grid" });
  self.title = html("div", { class: "cx-label" });
  self.note = html("div", { class: "cx-note" });
  self.scroll = html("div", { class: "cx-scroll" }, self.svg);
  self.element = html("div", { class: "cx-grid" }, self.title, self.scroll, self.note);
  self.into.append(self.element);
  listen(self);
  ui.onResize(() => self.state && lay(self));
  const draw = (state) => {
    self.state = { selected: null, windows: [], dots: [], ...state };
    lay(self);
  };
  return { element: self.element, scroll: self.scroll, draw, side: () => self.side };
}

function describeCell(row, column, value) {
  return `row ${row}, column ${column}: ${number(value)}`;
}

/** Make the cells anew if their number or size changed; then paint them. */
function lay(self) {
  const { values, label = self.label, note = "" } = self.state;
  const [rows, columns] = [values.length, values[0]?.length ?? 0];
  const room = self.ui.width - 2 * EDGE - 2;
  const side = Math.max(SMALLEST, Math.min(self.state.cell ?? self.cell, Math.floor(room / (columns || 1))));
  if (rows !== self.rows || columns !== self.columns || side !== self.side) {
    Object.assign(self, { rows, columns, side });
    build(self);
  }
  self.title.textContent = label;
  self.note.textContent = note;
  self.note.hidden = !note;
  assign(self.svg, { "aria-label": label, class: self.drag() ? "cx-drag" : null });
  self.element.hidden = !columns;
  const [row, column] = self.state.selected ?? self.at;
  self.at = [Math.max(0, Math.min(row, rows - 1)), Math.max(0, Math.min(column, columns - 1))];
  paint(self);
}

function build(self) {
  const { rows, columns, side } = self;
  const [width, height] = [columns * side, rows * side];
  const focused = self.svg.contains(document.activeElement);
  const hatch = unique();
  self.cells = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => makeCell(i, j, side, hatch)),
  );
  self.marks = svg("g", { "aria-hidden": "true", class: "cx-marks" });
  const square = { x: 1, y: 1, width: side - 2, height: side - 2 };
  const lines = ["cx-ring-ground", "cx-ring-line"].map((name) => svg("rect", { ...square, class: name }));
  self.ring = svg("g", { class: "cx-ring", "aria-hidden": "true" }, ...lines);
  const cells = self.cells.map((row) => svg("g", { role: "row" }, ...row.map((cell) => cell.group)));
  const edge = svg("rect", { class: `cx-edge cx-${self.role}`, width, height, "aria-hidden": "true" });
  self.svg.replaceChildren(hatching(hatch), ...cells, edge, self.marks, self.ring);
  assign(self.svg, {
    width: width + 2 * EDGE,
    height: height + 2 * EDGE,
    viewBox: `${-EDGE} ${-EDGE} ${width + 2 * EDGE} ${height + 2 * EDGE}`,
  });
  if (focused) self.refocus = true;
}

function makeCell(i, j, side, hatch) {
  const place = { x: j * side, y: i * side, width: side, height: side };
  const fill = svg("rect", { ...place, class: "cx-fill" });
  const lines = svg("rect", { ...place, class: "cx-hatch", fill: `url(#${hatch})` });
  const text = svg("text", { x: (j + 0.5) * side, y: (i + 0.5) * side, class: "cx-number" });
  text.style.fontSize = `${side < 32 ? 12 : side < 38 ? 13 : 14}px`;
  const [x, y, far] = [j * side + 3, i * side + 3, side - 6];
  const cross = svg("path", { d: `M${x},${y} l${far},${far} m${-far},0 l${far},${-far}`, class: "cx-cross" });
  const group = svg("g", { role: "gridcell", class: "cx-cell", tabindex: -1 }, fill, lines, cross, text);
  return { group, fill, lines, cross, text };
}

function hatching(id) {
  const line = svg("path", { d: "M-1,1 l2,-2 M0,8 l8,-8 M7,9 l2,-2", class: "cx-hatching" });
  return svg("defs", {}, svg("pattern", { id, width: 8, height: 8, patternUnits: "userSpaceOnUse" }, line));
}

function paint(self) {
  const { values, hatched = () => false, crossed = () => false, offset = [0, 0] } = self.state;
  const limit = self.state.limit ?? Math.max(...values.flat().map((value) => Math.abs(value) || 0), 0);
  const print = self.state.text ?? shortest(values.flat(), self.side);
  self.cells.forEach((row, i) =>
    row.forEach((cell, j) => {
      const value = values[i][j];
      const here = i === self.at[0] && j === self.at[1];
      paintCell(cell, {
        fill: diverging(value, limit),
        hatched: hatched(i, j),
        crossed: crossed(i, j),
        text: print(value, i, j),
        label: self.describe(i - offset[0], j - offset[1], value),
        tabindex: here ? 0 : -1,
        selected: self.state.selected ? String(here) : null,
      });
    }),
  );
  mark(self);
}

/** Change what is not as it should be; most cells stay as they are. */
function paintCell(cell, look) {
  const now = JSON.stringify(look);
  if (cell.now === now) return;
  cell.now = now;
  const { group, fill, lines, cross, text } = cell;
  fill.style.fill = look.fill;
  lines.style.display = look.hatched ? "" : "none";
  cross.style.display = look.crossed ? "" : "none";
  text.classList.toggle("cx-on-lines", look.hatched || look.crossed);
  text.textContent = look.text;
  assign(group, { "aria-label": look.label, tabindex: look.tabindex, "aria-selected": look.selected });
}

/** Print numbers with as many digits as fit into every cell; with none if not even one does. */
function shortest(values, side) {
  const room = (side - 3) / (side < 32 ? 7 : 7.8);
  for (const digits of [3, 2, 1]) {
    if (values.every((value) => number(value, digits).length <= room)) return (value) => number(value, digits);
  }
  return () => "";
}

function mark(self) {
  const { side, state } = self;
  const windows = state.windows.filter(({ height, width }) => height > 0 && width > 0); // all in the padding: none
  const shapes = windows.flatMap(({ row, column, height, width, kind = "window" }) => {
    const place = { x: column * side + 2, y: row * side + 2, width: width * side - 4, height: height * side - 4 };
    return [
      svg("rect", { ...place, class: `cx-window cx-${kind}` }),
      svg("rect", { ...place, class: "cx-window-line" }),
    ];
  });
  for (const [row, column] of state.dots) {
    shapes.push(svg("circle", { cx: (column + 0.86) * side, cy: (row + 0.14) * side, r: 4, class: "cx-dot" }));
  }
  self.marks.replaceChildren(...shapes);
  self.ring.setAttribute("transform", `translate(${self.at[1] * side} ${self.at[0] * side})`);
  self.svg.classList.toggle("cx-chosen", Boolean(state.selected));
  if (self.refocus) focusCell(self);
}

function focusCell(self, preventScroll = false) {
  self.refocus = false;
  self.cells[self.at[0]]?.[self.at[1]]?.group.focus({ preventScroll });
}

/** The cell under a pointer, or null. */
function cellUnder(self, event) {
  const box = self.svg.getBoundingClientRect();
  const [row, column] = [event.clientY - box.top, event.clientX - box.left].map((at) =>
    Math.floor((at - EDGE) / self.side),
  );
  return row >= 0 && column >= 0 && row < self.rows && column < self.columns ? [row, column] : null;
}

function go(self, at) {
  if (at[0] === self.at[0] && at[1] === self.at[1] && self.state.selected) return;
  self.at = at;
  paint(self);
  self.onSelect?.(...at);
}

function listen(self) {
  let pressed = null;
  self.svg.addEventListener("pointermove", (event) => {
    const at = cellUnder(self, event);
    if (!at) return;
    if (pressed && self.drag()) {
      if (String(at) === String(pressed)) return;
      pressed = at;
      go(self, at);
      focusCell(self, true);
      self.onPress?.(...at, true);
    } else if (self.onSelect) go(self, at);
  });
  self.svg.addEventListener("pointerdown", (event) => {
    const at = cellUnder(self, event);
    if (!at) return;
    event.preventDefault();
    go(self, at);
    focusCell(self, true);
    if (self.drag()) self.svg.setPointerCapture(event.pointerId);
    pressed = at;
    self.onPress?.(...at, false);
    if (self.onEdit) edit(self, "");
  });
  for (const name of ["pointerup", "pointercancel"]) self.svg.addEventListener(name, () => (pressed = null));
  self.svg.addEventListener("keydown", (event) => onKey(self, event));
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function onKey(self, event) {
  if (event.altKey || event.metaKey) return;
  const [row, column] = self.at;
  const ends = { Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? self.rows - 1 : row, self.columns - 1] };
  const step = STEPS[event.key];
  if (step || ends[event.key]) {
    const to = step ? [row + step[0], column + step[1]] : ends[event.key];
    if (self.cells[to[0]]?.[to[1]]) {
      go(self, to);
      focusCell(self);
    }
  } else if (event.key === "Enter" || event.key === " ") {
    if (self.onEdit) edit(self, "");
    else if (self.onPress) self.onPress(row, column, false);
    else return;
  } else if (self.onEdit && /^[-−.\d]$/.test(event.key) && !event.ctrlKey) {
    edit(self, event.key.replace("−", "-"));
  } else return;
  event.preventDefault();
}

/** Lay a box to type in over the cell; Enter takes the number, Escape does not. */
function edit(self, typed) {
  const [row, column] = self.at;
  const was = self.state.values[row][column];
  const name = `${self.state.label ?? self.label}, ${self.describe(row, column, was)}; type a number`;
  const box = html("input", { class: "cx-edit", inputmode: "decimal", "aria-label": name, autocomplete: "off" });
  box.value = typed || String(Number(was.toPrecision(6)));
  const wide = Math.max(self.side, 56);
  const left = Math.max(0, Math.min((column + 0.5) * self.side - wide / 2, self.columns * self.side - wide));
  Object.assign(box.style, { left: `${left + EDGE}px`, top: `${row * self.side + EDGE}px`, width: `${wide}px` });
  box.style.height = `${self.side}px`;
  let done = false;
  const close = (keep, back) => {
    if (done) return;
    done = true;
    const value = Number(box.value.replace("−", "-").replace(",", "."));
    box.remove();
    if (keep && box.value.trim() && Number.isFinite(value) && value !== was) self.onEdit(row, column, value);
    if (back) focusCell(self);
  };
  box.addEventListener("blur", () => close(true, false));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      close(event.key === "Enter", true);
    }
  });
  self.scroll.append(box);
  box.focus();
  if (!typed) box.select();
}
