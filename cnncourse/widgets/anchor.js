// Anchors: boxes of fixed shapes at every cell of a feature map, and which of them match an object.

const SCALES = [16, 24, 40, 64];
const RATIOS = [0.5, 1, 2];
const AREA = "ratio = height / width. All anchors of one scale have the same area, scale × scale.";
const MARGIN = 24; // screen pixels around the image: anchors reach beyond it
const TIED = 1e-9; // two values of IoU closer than this differ by rounding only
const FEWEST = 8; // pixels: the smallest side to which an object can be dragged

function render({ model, el }) {
  const kinds = { truth: "object", prediction: "positive anchor", ignored: "ignored", negative: "negative" };
  const ui = frame(el, model, { title: "Anchors and what they match", legend: Object.entries(kinds) });
  settings(ui);
  const picture = plane(ui, {
    label: "An image with an object, and anchors of the chosen cell of the feature map",
    onMove: (_, box) => ui.set("object", box),
    onPress: (x, y) => ui.set("cell", [y, x].map((at) => Math.floor(at / ui.get("stride")))),
  });
  const side = html("div", { class: "cx-side" });
  ui.body.append(side);
  const describe = (row, column, value) => `row ${row}, column ${column}: highest IoU ${value.toFixed(2)}`;
  const onSelect = (row, column) => ui.set("cell", [row, column]);
  const about = { label: "highest IoU in each cell", role: "prediction", describe, onSelect };
  const cells = ui.grid({ ...about, into: side });
  const table = makeTable("Anchors of the chosen cell", side);
  side.append(html("p", { class: "cx-note" }, AREA));
  const names = ["rows", "columns", "stride", "scales", "ratios", "object", "positive", "negative"];
  function draw() {
    const state = stateOf(ui, [...names, "cell"]);
    picture.draw(pictureOf(state));
    cells.draw(cellsOf(state));
    fillTable(table, ["ratio, scale", "height × width", "IoU", "label"], rowsOf(state));
    return state;
  }
  const tell = () => ui.say(sentence(draw()));
  ui.onChange(names, tell);
  ui.onChange(["cell"], draw);
  tell();
  return ui.end;
}

/**
 * One anchor for every ratio (height / width) and scale: cnncourse.anchors.generate_anchors.
 * @param {number[]} scales
 * @param {number[]} ratios
 * @returns {number[][]} boxes centred on the origin, ratio by ratio
 */
export function generateAnchors(scales, ratios) {
  return ratios.flatMap((ratio) =>
    scales.map((scale) => {
      const [height, width] = [scale * Math.sqrt(ratio), scale / Math.sqrt(ratio)];
      return [-width / 2, -height / 2, width / 2, height / 2];
    }),
  );
}

/**
 * A copy of each anchor at the centre of every cell: cnncourse.anchors.anchor_grid.
 * @param {number[][]} anchors
 * @param {number} rows
 * @param {number} columns
 * @param {number} stride
 * @returns {number[][]} boxes, row by row, in a row cell by cell, in a cell anchor by anchor
 */
export function anchorGrid(anchors, rows, columns, stride) {
  const boxes = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [(column + 0.5) * stride, (row + 0.5) * stride];
      for (const [x1, y1, x2, y2] of anchors) boxes.push([x + x1, y + y1, x + x2, y + y2]);
    }
  }
  return boxes;
}

/**
 * What each anchor is to learn about one object: cnncourse.anchors.assign_anchors.
 * @param {number[][]} anchors
 * @param {number[]} object
 * @param {number} positive
 * @param {number} negative
 * @returns {{label: number[], iou: number[]}} 1 positive, 0 negative, -1 ignored
 */
export function assignAnchors(anchors, object, positive, negative) {
  const iou = anchors.map((anchor) => overlap(anchor, object).iou);
  const best = Math.max(...iou);
  const label = iou.map((value) => {
    if (value >= positive || (value >= best - TIED && value > TIED)) return 1;
    return value < negative ? 0 : -1;
  });
  return { label, iou };
}

function settings(ui) {
  const now = () => ({ rows: ui.get("rows"), columns: ui.get("columns"), stride: ui.get("stride") });
  for (const [name, min, max, step] of [["rows", 1, 6, 1], ["columns", 1, 8, 1], ["stride", 8, 32, 4]]) {
    const write = (value) =>
      ui.set({ [name]: value, object: fitted(ui.get("object"), sizeOf({ ...now(), [name]: value })) });
    ui.knob({ name, label: name, min, max, step, write });
  }
  thresholds(ui);
  several(ui, "scales", SCALES, number);
  several(ui, "ratios", RATIOS, ratioText);
  const [read, write] = [() => ui.get("object"), (box) => ui.set("object", box)];
  const names = ["object", "rows", "columns", "stride"];
  corners(ui, { label: "object", names, read, write, size: () => sizeOf(now()) });
}

/** Two knobs, of which one pushes the other along. */
function thresholds(ui) {
  const text = (value) => value.toFixed(2);
  const [upper, lower] = [() => ui.get("positive"), () => ui.get("negative")];
  const raise = (value) => ui.set({ positive: value, negative: Math.min(value, lower()) });
  const sink = (value) => ui.set({ negative: value, positive: Math.max(value, upper()) });
  ui.knob({ name: "positive", label: "positive from", min: 0, max: 1, step: 0.05, text, write: raise });
  ui.knob({ name: "negative", label: "negative below", min: 0, max: 1, step: 0.05, text, write: sink });
}

/** Boxes to tick: any of some values, and of those that are there already. */
function several(ui, name, values, text) {
  const all = [...new Set([...values, ...ui.get(name)])].sort((a, b) => a - b);
  const group = named(name, "cx-choices", []);
  ui.controls.append(group);
  for (const value of all) {
    const read = () => ui.get(name).includes(value);
    const wanted = (on) => all.filter((each) => (each === value ? on : ui.get(name).includes(each)));
    const write = (on) => ui.set(name, wanted(on));
    ui.toggle({ label: text(value), names: [name], read, write, into: group.lastChild });
  }
}

const sizeOf = ({ rows, columns, stride }) => [columns * stride, rows * stride];

/** A box moved, and made smaller if it must be, so that it lies in a picture. */
function fitted([x1, y1, x2, y2], [width, height]) {
  const [wide, high] = [Math.min(x2 - x1, width), Math.min(y2 - y1, height)];
  const [left, top] = [Math.min(x1, width - wide), Math.min(y1, height - high)];
  return [left, top, left + wide, top + high];
}

function ratioText(ratio) {
  return ratio < 1 && Number.isInteger(1 / ratio) ? `1/${1 / ratio}` : number(ratio);
}

/** All that is shown, from the state. */
function stateOf(ui, names) {
  const state = Object.fromEntries(names.map((name) => [name, ui.get(name)]));
  const { rows, columns, stride, scales, ratios, object, positive, negative, cell } = state;
  const shapes = generateAnchors(scales, ratios);
  const anchors = anchorGrid(shapes, rows, columns, stride);
  const { label, iou } = assignAnchors(anchors, object, positive, negative);
  const at = [Math.min(cell[0], rows - 1), Math.min(cell[1], columns - 1)];
  const first = (at[0] * columns + at[1]) * shapes.length;
  return { ...state, shapes, anchors, label, iou, at, first, size: sizeOf(state) };
}

function pictureOf({ size, stride, object, anchors, label, shapes, first, at }) {
  const [x1, y1, x2, y2] = object;
  const spoken = `object, x ${number(x1)} to ${number(x2)}, y ${number(y1)} to ${number(y2)}`;
  const boxes = [{ box: object, kind: "truth", tag: "object", spoken }];
  const chosen = (index) => index >= first && index < first + shapes.length;
  const shown = anchors.flatMap((box, index) => (label[index] === 1 || chosen(index) ? { box, index } : []));
  const cell = [at[1], at[0], at[1] + 1, at[0] + 1].map((edge) => edge * stride);
  const under = (scale) => [
    svg("path", { d: cellLines(size, stride, scale), class: "cx-plane-lines" }),
    svg("rect", { ...rectangle(cell, scale), class: "cx-window" }),
    svg("rect", { ...rectangle(cell, scale), class: "cx-window-line" }),
  ];
  const outline = (scale) => ({ box, index }) =>
    svg("rect", { ...rectangle(box, scale), class: `cx-anchor ${STYLES[label[index]]}` });
  const [cx, cy] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const centre = (scale) => svg("circle", { cx: cx * scale, cy: cy * scale, r: 3.5, class: "cx-dot" });
  const over = (scale) => [...shown.map(outline(scale)), centre(scale)];
  return { size, boxes, selected: 0, least: FEWEST, margin: MARGIN, under, over };
}

const STYLES = { 1: "cx-prediction", [-1]: "cx-ignored", 0: "cx-negative" };
const LABELS = { 1: "positive", [-1]: "ignored", 0: "negative" };

/** Lines between the cells, and a cross at the centre of each. */
function cellLines([width, height], stride, scale) {
  const parts = [];
  for (let x = stride; x < width; x += stride) parts.push(`M${x * scale},0v${height * scale}`);
  for (let y = stride; y < height; y += stride) parts.push(`M0,${y * scale}h${width * scale}`);
  for (let y = stride / 2; y < height; y += stride) {
    for (let x = stride / 2; x < width; x += stride) {
      parts.push(`M${x * scale - 3},${y * scale}h6m-3,-3v6`);
    }
  }
  return parts.join("");
}

function cellsOf({ rows, columns, shapes, iou, label, at }) {
  const values = Array.from({ length: rows }, () => Array(columns).fill(0));
  const windows = [];
  iou.forEach((value, index) => {
    const place = Math.floor(index / shapes.length);
    const [row, column] = [Math.floor(place / columns), place % columns];
    values[row][column] = Math.max(values[row][column], value);
    if (label[index] === 1) windows.push({ row, column, height: 1, width: 1, kind: "prediction" });
  });
  const note = "Dashed: cells with a positive anchor.";
  return { values, windows, selected: at, limit: 1, text: (value) => value.toFixed(2), note };
}

/** Ratio and scale of a shape, as text. */
function shapeOf(index, { ratios, scales }) {
  return [ratioText(ratios[Math.floor(index / scales.length)]), number(scales[index % scales.length])];
}

function rowsOf(state) {
  const { shapes, first, iou, label } = state;
  return shapes.map((shape, index) => {
    const [height, width] = [shape[3] - shape[1], shape[2] - shape[0]].map((side) => side.toFixed(1));
    const found = label[first + index];
    const value = iou[first + index].toFixed(3);
    const row = [shapeOf(index, state).join(", "), `${height} × ${width}`, value, LABELS[found]];
    return { row, marked: found === 1 };
  });
}

function sentence(state) {
  const { anchors, label, iou, positive, shapes, columns } = state;
  if (!anchors.length) return "There is no anchor without a scale and a ratio.";
  const count = (kind) => label.filter((each) => each === kind).length;
  const kinds = `${count(1)} positive, ${count(-1)} ignored, ${count(0)} negative`;
  const counted = `${anchors.length} anchors: ${kinds}.`;
  const best = Math.max(...iou);
  if (best <= TIED) return `${counted} No anchor touches the object.`;
  const at = iou.indexOf(best);
  const place = Math.floor(at / shapes.length);
  const [ratio, scale] = shapeOf(at % shapes.length, state);
  const cell = `row ${Math.floor(place / columns)}, column ${place % columns}`;
  const why = best < positive ? " It matches only because no other is better." : "";
  return `${counted} The best: IoU ${best.toFixed(3)} (${cell}, ratio ${ratio}, scale ${scale}).${why}`;
}

export default { render };
