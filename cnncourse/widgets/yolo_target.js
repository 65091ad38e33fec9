// What the cells of YOLO are to say about objects: version 1, and versions 2 and 3 with anchors.

const PICTURE = [96, 64]; // width and height in pixels
const MARGIN = 24; // screen pixels around the picture: anchors reach beyond it
const FEWEST = 4; // pixels: the smallest side to which an object can be dragged
const KINDS = { truth: "object", window: "cell that answers", kernel: "anchor of the chosen object's cell" };
const RULE =
  "A cell of version 1 learns one object, in later versions one for each anchor. The first in the list stays.";

function render({ model, el }) {
  const ui = frame(el, model, { title: "What the cells of YOLO are to say", legend: Object.entries(KINDS) });
  for (const name of ["rows", "columns"]) ui.knob({ name, label: name, min: 1, max: 8 });
  anchorChoice(ui);
  const picture = plane(ui, {
    label: `A picture of ${PICTURE[0]} by ${PICTURE[1]} pixels with a grid of cells and objects`,
    onMove: (index, box) => place(ui, index, box),
    onSelect: (index) => ui.set("chosen", index),
    onPress: (x, y) => drop(ui, x, y),
  });
  const side = html("div", { class: "cx-side" });
  ui.body.append(side);
  const numbers = makeTable("What the cell of the chosen object is to say", side);
  const all = makeTable("All objects, and which of them are learned", side);
  side.append(html("p", { class: "cx-note" }, RULE));
  const read = () => ui.get("objects")[at(ui)] ?? [];
  const write = (box) => place(ui, at(ui), box);
  corners(ui, { label: "chosen object", names: ["objects", "chosen"], read, write, size: () => PICTURE, into: side });
  function draw() {
    const state = stateOf(ui);
    picture.draw(pictureOf(state));
    fillTable(numbers, [state.name, "version 1", "versions 2 and 3"], numbersOf(state));
    fillTable(all, ["object", "row, column", "cell", "version 1", "versions 2 and 3"], fatesOf(state));
    ui.say(sentence(state));
  }
  ui.onChange(["rows", "columns", "objects", "chosen", "anchors", "anchor"], draw);
  draw();
  return ui.end;
}

/**
 * The cell that holds the centre of a box, and where in it.
 * @param {number[]} box
 * @param {number} rows
 * @param {number} columns
 * @param {[number, number]} size width and height of the picture
 * @returns {{row: number, column: number, index: number, x: number, y: number}}
 */
export function cellOf([x1, y1, x2, y2], rows, columns, [width, height]) {
  const [across, down] = [(((x1 + x2) / 2) * columns) / width, (((y1 + y2) / 2) * rows) / height];
  const [column, row] = [Math.min(Math.floor(across), columns - 1), Math.min(Math.floor(down), rows - 1)];
  return { row, column, index: row * columns + column, x: across - column, y: down - row };
}

/**
 * The anchor whose size fits a box best, wherever both lie.
 * @param {number[]} box
 * @param {number[][]} anchors width and height
 * @returns {number} its index, of equal ones the first
 */
export function bestAnchor([x1, y1, x2, y2], anchors) {
  const iou = anchors.map(([width, height]) => overlap([0, 0, x2 - x1, y2 - y1], [0, 0, width, height]).iou);
  return iou.indexOf(Math.max(...iou));
}

/**
 * What all objects ask of the network: YOLOTargetExplorer.targets.
 * @param {number[][]} objects
 * @param {number} rows
 * @param {number} columns
 * @param {number[][]} anchors
 * @param {string} asked "best", or the index of the anchor for v2
 * @returns {{row: number, column: number, index: number, v1: number[], anchor: number, used: number,
 *   v2: number[], inV1: boolean, inV2: boolean}[]}
 */
export function targetsOf(objects, rows, columns, anchors, asked) {
  const found = [];
  for (const box of objects) {
    const { x, y, ...cell } = cellOf(box, rows, columns, PICTURE);
    const [w, h] = [box[2] - box[0], box[3] - box[1]];
    const anchor = bestAnchor(box, anchors);
    const used = asked === "best" ? anchor : Math.min(Number(asked), anchors.length - 1);
    const [wide, high] = anchors[used];
    const v1 = [x, y, w / PICTURE[0], h / PICTURE[1]];
    const v2 = [logit(x), logit(y), Math.log(w / wide), Math.log(h / high)];
    const same = found.filter(({ index }) => index === cell.index);
    const rivals = same.filter((other) => other.anchor === anchor);
    found.push({ ...cell, v1, anchor, used, v2, inV1: !same.length, inV2: !rivals.length });
  }
  return found;
}

const logit = (share) => Math.log(share) - Math.log(1 - share);
const letter = (index) => String.fromCharCode(65 + index);
const three = (value) => {
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const text = value.toFixed(3);
  return (Number(text) === 0 ? "0.000" : text).replace("-", "−");
};

/** The index of the chosen object, or −1 where there is none. */
function at(ui) {
  return Math.min(ui.get("chosen"), ui.get("objects").length - 1);
}

function place(ui, index, box) {
  ui.set("objects", ui.get("objects").map((was, each) => (each === index ? box : was)));
}

/** Let the chosen object fall where the picture was pressed. */
function drop(ui, x, y) {
  const box = ui.get("objects")[at(ui)];
  if (!box) return;
  const [right, down] = [x - (box[0] + box[2]) / 2, y - (box[1] + box[3]) / 2].map(Math.round);
  place(ui, at(ui), moved(box, right, down, PICTURE));
}

/** A list of the anchors, and the one that fits best. */
function anchorChoice(ui) {
  const list = ui.choice({ name: "anchor", label: "compared with", options: [] });
  const select = list.element.querySelector("select");
  const refill = () => {
    const sizes = ui.get("anchors").map(([w, h], index) => [index, `${index}: ${number(w)} × ${number(h)}`]);
    const options = [["best", "best anchor"], ...sizes];
    select.replaceChildren(...options.map(([value, text]) => html("option", { value }, text)));
    list.refresh();
  };
  ui.onChange(["anchors"], refill);
  refill();
}

/** All that is shown, from the state. */
function stateOf(ui) {
  const [rows, columns, objects, anchors] = ["rows", "columns", "objects", "anchors"].map(ui.get);
  const targets = targetsOf(objects, rows, columns, anchors, ui.get("anchor"));
  const chosen = at(ui);
  const name = chosen < 0 ? "object" : `object ${letter(chosen)}`;
  return { rows, columns, objects, anchors, targets, chosen, name, target: targets[chosen] };
}

function pictureOf({ rows, columns, objects, anchors, targets, chosen, target }) {
  const [wide, high] = [PICTURE[0] / columns, PICTURE[1] / rows];
  const boxes = objects.map((box, index) => {
    const { row, column, inV1 } = targets[index];
    const spoken = `object ${letter(index)}, its centre in row ${row}, column ${column}`;
    return { box, kind: "truth", look: inV1 ? "solid" : "dashed", tag: letter(index), spoken };
  });
  const cellBox = ({ row, column }) => [column * wide, row * high, (column + 1) * wide, (row + 1) * high];
  const under = (scale) => [
    svg("path", { d: gridLines(wide, high, scale), class: "cx-plane-lines" }),
    ...objects.map((box) => ellipse(box, scale)),
    ...cellNumbers(rows, columns, wide * scale, high * scale),
  ];
  const over = (scale) => [
    ...targets.flatMap((each) => marked(rectangle(cellBox(each), scale))),
    ...(target ? [anchorAt(cellBox(target), anchors[target.used], scale)] : []),
    ...objects.map(([x1, y1, x2, y2]) =>
      svg("circle", { cx: ((x1 + x2) / 2) * scale, cy: ((y1 + y2) / 2) * scale, r: 4, class: "cx-dot" }),
    ),
  ];
  return { size: PICTURE, boxes, selected: chosen, least: FEWEST, margin: MARGIN, under, over };
}

function marked({ x, y, width, height }) {
  const inner = { x: x + 2, y: y + 2, width: width - 4, height: height - 4 };
  return ["cx-window", "cx-window-line"].map((name) => svg("rect", { ...inner, class: name }));
}

/** An anchor in the middle of a cell: where it lies when all four numbers are 0. */
function anchorAt([x1, y1, x2, y2], [wide, high], scale) {
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const box = [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2];
  return svg("rect", { ...rectangle(box, scale), class: "cx-anchor cx-kernel", "stroke-dasharray": "2 4" });
}

function gridLines(wide, high, scale) {
  const [width, height] = PICTURE;
  const parts = [];
  for (let x = wide; x < width - 1e-9; x += wide) parts.push(`M${x * scale},0v${height * scale}`);
  for (let y = high; y < height - 1e-9; y += high) parts.push(`M0,${y * scale}h${width * scale}`);
  return parts.join("");
}

/** The number of every cell, in its lower right corner, where there is room. */
function cellNumbers(rows, columns, wide, high) {
  if (Math.min(wide, high) < 26) return [];
  return Array.from({ length: rows * columns }, (_, index) => {
    const [right, down] = [(index % columns) + 1, Math.floor(index / columns) + 1];
    const there = { x: right * wide - 6, y: down * high - 6, "text-anchor": "end" };
    return svg("text", { ...there, class: "cx-bar-text" }, String(index));
  });
}

function ellipse([x1, y1, x2, y2], scale) {
  const [cx, cy, rx, ry] = [x1 + x2, y1 + y2, x2 - x1, y2 - y1].map((length) => (length / 2) * scale);
  return svg("ellipse", { cx, cy, rx, ry, class: "cx-object" });
}

/** How each number comes about, in both ways. */
function numbersOf({ objects, anchors, rows, columns, chosen, target }) {
  if (!target) return [];
  const [x1, y1, x2, y2] = objects[chosen];
  const { v1, v2, used, row, column } = target;
  const size = anchors[used];
  const places = [["x", (x1 + x2) / 2, PICTURE[0] / columns, column], ["y", (y1 + y2) / 2, PICTURE[1] / rows, row]];
  const sides = [["w", x2 - x1, PICTURE[0]], ["h", y2 - y1, PICTURE[1]]];
  return [
    ...places.map(([name, centre, cell, before], axis) => {
      const share = `${number(centre, 4)} / ${number(cell, 4)} − ${before} = ${three(v1[axis])}`;
      return { row: [name, share, `sigmoid(${three(v2[axis])}) = ${three(v1[axis])}`] };
    }),
    ...sides.map(([name, side, whole], axis) => {
      const share = v1[axis + 2];
      const first = `${number(side)} / ${whole} = ${three(share)}, root ${three(Math.sqrt(share))}`;
      return { row: [name, first, `log(${number(side)} / ${number(size[axis])}) = ${three(v2[axis + 2])}`] };
    }),
  ];
}

function fatesOf({ targets, chosen }) {
  return targets.map(({ row, column, index, anchor, inV1, inV2 }, place) => {
    const first = inV1 ? "learned" : "forgotten";
    const later = `anchor ${anchor}${inV2 ? "" : ", forgotten"}`;
    return { row: [letter(place), `${row}, ${column}`, String(index), first, later], marked: place === chosen };
  });
}

function sentence({ targets, columns, chosen, target }) {
  if (!target) return "There is no object: every cell is to say 0.";
  const { row, column, index } = target;
  const counted = `cell ${row} × ${columns} + ${column} = ${index}`;
  const where = `The centre of ${letter(chosen)} lies in row ${row}, column ${column}: ${counted}.`;
  const lost = targets.findIndex(({ inV1 }) => !inV1);
  if (lost < 0) return `${where} Every object has a cell of its own.`;
  const owner = targets.findIndex((each) => each.index === targets[lost].index);
  const [first, second] = [owner, lost].map(letter);
  const cell = `${first} and ${second} share cell ${targets[lost].index}`;
  const shared = `${cell}: version 1 learns ${first} and forgets ${second}`;
  if (!targets[lost].inV2) return `${where} ${shared}, and so do versions 2 and 3, for an anchor learns one object.`;
  return `${where} ${shared}, versions 2 and 3 learn both, with different anchors.`;
}

export default { render };
