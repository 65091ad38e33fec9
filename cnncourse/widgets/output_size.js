// OutputSizeExplorer: one axis, its windows, and what none of them reads.

const KNOBS = ["size", "kernel_size", "stride", "padding", "dilation"];
const BAR = 17; // pixels from one bar to the next

/**
 * The positions that each window reads, counted in pixels of the input: padding lies below 0 and from size on.
 * @param {{size: number, kernel_size: number, stride: number, padding: number, dilation: number}} state
 * @returns {number[][]} one list for each window that fits
 */
export function windows({ size, kernel_size, stride, padding, dilation }) {
  const count = outputSize(size, kernel_size, stride, padding, dilation);
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: kernel_size }, (_, u) => i * stride - padding + u * dilation),
  );
}

/**
 * The positions that no window reads.
 * @param {object} state as for windows
 * @returns {number[]}
 */
export function neverRead(state) {
  const read = new Set(windows(state).flat());
  const all = Array.from({ length: state.size + 2 * state.padding }, (_, i) => i - state.padding);
  return all.filter((position) => !read.has(position));
}

/** How many numbers at the end the floor drops: those after the last window. */
export function dropped(state) {
  const last = windows(state).at(-1)?.at(-1);
  return last === undefined ? 0 : state.size + state.padding - 1 - last;
}

const covered = ({ kernel_size, dilation }) => dilation * (kernel_size - 1) + 1;
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const listed = (items) => [items.slice(0, -1).join(", "), ...items.slice(-1)].filter((text) => text !== "").join(" and ");

/** Positions in words: pixels by their number, padding by how many. */
export function named(positions, size) {
  const pixels = positions.filter((position) => position >= 0 && position < size).map(String);
  const zeros = positions.length - pixels.length;
  const parts = pixels.length ? [`${pixels.length === 1 ? "pixel" : "pixels"} ${listed(pixels)}`] : [];
  return [...parts, ...(zeros ? [`${plural(zeros, "zero")} of the padding`] : [])].join(" and ");
}

/** What the settings come to, in words. */
export function summary(state) {
  const count = windows(state).length;
  const { size, padding } = state;
  if (!count) {
    const padded = `${size + 2 * padding} with its padding`;
    return `No window fits: the kernel covers ${covered(state)} pixels, the input has ${padding ? padded : size}.`;
  }
  const tail = dropped(state);
  const unread = neverRead(state);
  const [end, between] = [unread.slice(unread.length - tail), unread.slice(0, unread.length - tail)];
  const says = [count === 1 ? "1 window fits." : `${count} windows fit.`];
  says.push(tail ? `The floor drops ${named(end, size)} at the end.` : "Nothing is left over at the end.");
  if (between.length) says.push(`Between its steps no window reads ${named(between, size)}.`);
  const bare = windows({ ...state, padding: 0 }).length;
  if (padding) says.push(`Padding adds ${plural(count - bare, "window")}: without it there would be ${bare}.`);
  return says.join(" ");
}

/** The formula with the numbers of a state, step by step. */
export function formula(state) {
  const { size, kernel_size, stride, padding, dilation } = state;
  const room = size + 2 * padding - covered(state);
  const count = windows(state).length;
  const filled = `⌊(${size} + 2·${padding} − ${dilation}·(${kernel_size} − 1) − 1) / ${stride}⌋ + 1`;
  if (room < 0) return `${filled}: the numerator is ${number(room)}, so no window fits`;
  return `${filled} = ⌊${room} / ${stride}⌋ + 1 = ⌊${number(room / stride)}⌋ + 1 = ${count}`;
}

function render({ model, el }) {
  const ui = frame(el, model, { title: "Output size", legend: [["window", "window: what it reads"]] });
  ui.knob({ name: "size", label: "size", min: 1, max: 16 });
  ui.knob({ name: "kernel_size", label: "kernel size", min: 1, max: 7 });
  ui.knob({ name: "stride", label: "stride", min: 1, max: 5 });
  ui.knob({ name: "padding", label: "padding", min: 0, max: 4 });
  ui.knob({ name: "dilation", label: "dilation", min: 1, max: 4 });
  const state = () => Object.fromEntries(KNOBS.map((name) => [name, ui.get(name)]));
  const parts = makeParts(ui, state);
  const draw = () => show(ui, parts, state());
  ui.onChange(KNOBS, () => {
    draw();
    ui.say(summary(state()));
  });
  ui.onChange(["selected"], draw);
  ui.onResize(draw);
  draw();
  ui.say(summary(state()));
  return ui.end;
}

function makeParts(ui, state) {
  const describe = (row, column) => {
    const count = windows(state()).filter((window) => window.includes(column)).length;
    const inside = column >= 0 && column < ui.get("size");
    return `${inside ? `pixel ${column}` : "padding, 0"}: read by ${count ? plural(count, "window") : "no window"}`;
  };
  const onSelect = (row, column) => ui.set("selected", column);
  ui.body.classList.add("cx-column");
  const input = ui.grid({ label: "input", role: "input", describe });
  const bars = svg("svg", { class: "cx-bars", "aria-hidden": "true" });
  input.scroll.append(bars);
  bars.addEventListener("pointermove", (event) => {
    const i = Math.floor((event.clientY - bars.getBoundingClientRect().top) / BAR);
    if (i >= 0 && i < windows(state()).length && i !== ui.get("selected")) ui.set("selected", i);
  });
  const reads = (row, column) => {
    const window = windows(state())[column];
    return `window ${column}: reads ${named(window ?? [], ui.get("size"))}`;
  };
  const output = ui.grid({ label: "output: one unit for each window", role: "output", describe: reads, onSelect });
  const symbols = html("p", { class: "cx-formula" });
  symbols.textContent = "output size = ⌊(size + 2·padding − dilation·(kernel size − 1) − 1) / stride⌋ + 1";
  const numbers = html("p", { class: "cx-formula" });
  ui.body.after(symbols, numbers);
  return { input, output, bars, numbers };
}

function show(ui, { input, output, bars, numbers }, state) {
  const { size, padding, stride } = state;
  const all = windows(state);
  const chosen = Math.min(ui.get("selected"), all.length - 1);
  const padded = size + 2 * padding;
  const unread = neverRead(state).map((position) => position + padding);
  const inside = (i) => i >= padding && i < padding + size;
  input.draw({
    values: [Array(padded).fill(0)],
    cell: Math.min(44, Math.floor((ui.width - 8) / (padded + 1))),
    offset: [0, padding],
    text: (_, row, i) => (inside(i) ? String(i - padding) : "0"),
    hatched: (_, i) => !inside(i),
    crossed: (_, i) => all.length > 0 && unread.includes(i),
    windows: all.length ? [{ row: 0, column: chosen * stride, height: 1, width: covered(state) }] : [],
    note: padding ? "pixels by their number; hatched: zeros of the padding" : "pixels by their number",
  });
  drawBars(bars, input.side(), state, chosen);
  output.draw({
    values: all.length ? [all.map(() => 0)] : [],
    text: (_, row, i) => String(i),
    selected: all.length ? [0, chosen] : null,
  });
  numbers.textContent = `= ${formula(state)}`;
}

/** One bar under the pixels for each window, a dashed one for the first that does not fit. */
function drawBars(bars, side, state, chosen) {
  const all = windows(state);
  const width = (state.size + 2 * state.padding + 1) * side;
  const height = (all.length + 1) * BAR + 14;
  assign(bars, { width: width + EDGE, height, viewBox: `${-EDGE} 0 ${width + EDGE} ${height}` });
  const shapes = all.map((window, i) => bar(window.map((at) => at + state.padding), i, side, i === chosen));
  const start = all.length * state.stride;
  const y = (all.length + 0.5) * BAR;
  const end = Math.min((start + covered(state)) * side, width) - 2;
  const room = Math.max(0, Math.min(start * side, width - 90));
  if (start * side < width - side) shapes.push(svg("path", { d: `M${start * side + 2},${y} H${end}`, class: "cx-misfit" }));
  shapes.push(svg("text", { x: room, y: y + 16, class: "cx-bar-text" }, "does not fit"));
  bars.replaceChildren(...shapes);
}

/** A window: a line over what it spans, a block for each pixel that it reads. */
function bar(cells, i, side, chosen) {
  const y = (i + 0.5) * BAR;
  const line = svg("path", { d: `M${cells[0] * side + 2},${y} H${(cells.at(-1) + 1) * side - 2}`, class: "cx-span" });
  const blocks = cells.map((at) => {
    const place = { x: at * side + 2, y: y - 4, width: side - 4, height: 8 };
    return svg("rect", { ...place, class: "cx-block" });
  });
  const index = svg("text", { x: (cells.at(-1) + 1) * side + 3, y: y + 4, class: "cx-bar-text" }, String(i));
  return svg("g", { class: chosen ? "cx-bar-chosen" : null }, line, ...blocks, index);
}

export default { render };
