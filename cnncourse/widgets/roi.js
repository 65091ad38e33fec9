// RoIPool beside RoIAlign: which cells of a feature map each of them reads for a box, and what comes out.

const PICTURE = [96, 64]; // width and height in pixels
const BLOCK = 4; // the picture's squares of one brightness, in pixels
const STRIDES = ["4", "8", "16", "32"];
const AROUND = 14; // screen pixels around the picture: RoIPool reaches beyond it
const APART = 24; // screen pixels between two pictures beside each other
const ROOM = 26; // screen pixels of a cell that can hold its number
const NAMES = ["image", "box", "stride", "output", "samples", "half_pixel", "selected"];
const KINDS = {
  prediction: "box (region of interest)",
  window: "what all bins cover; thick: the chosen bin",
  shared: "cells that the chosen bin reads",
};
const WAYS = [
  ["RoIPool", "rounded to whole cells", KEYS],
  ["RoIAlign", "nothing rounded", "The same box. Dots: points where the map is read; large: those of the chosen bin."],
];
const MEANING =
  "Rows, columns and cells that the chosen bin reads. Region: x1, y1, x2, y2 of what all bins cover, in pixels. " +
  "IoU: of region and box. Off by: pixels from a bin's middle to where it should be, on average.";
const half = (width) => (width < WIDE ? width : (width - APART) / 2);

function render({ model, el }) {
  const ui = frame(el, model, { title: "RoIPool and RoIAlign", legend: Object.entries(KINDS) });
  settings(ui);
  const ways = WAYS.map((words) => way(ui, ...words));
  const table = makeTable("What each of both reads, and how far it is from the box", ui.body);
  ui.body.append(html("p", { class: "cx-note cx-meaning" }, MEANING));
  function draw() {
    const state = stateOf(ui);
    const readings = [state.pool, state.align];
    const limit = Math.max(...readings.flatMap(({ values }) => values.flat().map(Math.abs)));
    ways.forEach((each, index) => each.draw(state, readings[index], limit));
    fillTable(table, [`bin ${state.at.join(", ")}`, "RoIPool", "RoIAlign"], rowsOf(state));
    ui.say(sentence(state));
  }
  ui.onChange(NAMES, draw);
  draw();
  return ui.end;
}

function settings(ui) {
  const known = () => ui.get("pictures").find(([, image]) => String(image) === String(ui.get("image")));
  ui.choice({
    label: "image",
    names: ["image", "pictures"],
    options: [...ui.get("pictures").map(([name]) => [name, name]), ["own", "your own"]],
    read: () => known()?.[0] ?? "own",
    write: (name) => {
      const image = ui.get("pictures").find(([each]) => each === name)?.[1];
      if (image) ui.set("image", image);
    },
  });
  const [read, write] = [() => String(ui.get("stride")), (value) => ui.set("stride", Number(value))];
  const options = STRIDES.map((value) => [value, value]);
  ui.choice({ label: "stride (pixels of a cell)", names: ["stride"], options, read, write });
  ui.knob({ name: "output", label: "bins a side", min: 1, max: 7 });
  ui.knob({ name: "samples", label: "points a side", min: 1, max: 4 });
  const [readBox, writeBox] = [() => ui.get("box"), (box) => ui.set("box", box)];
  corners(ui, { label: "box", names: ["box"], read: readBox, write: writeBox, size: () => PICTURE });
  const row = html("div", { class: "cx-set" });
  ui.controls.append(row);
  ui.toggle({ name: "half_pixel", label: "a cell's value lies in its middle (half pixel)", into: row });
}

/** One of both ways: the picture in which it reads, and the numbers that it gives. */
function way(ui, name, does, hint) {
  const into = html("div", { class: "cx-way" }, html("div", { class: "cx-label" }, `${name}: ${does}`));
  ui.body.append(into);
  const onMove = (_, box) => ui.set("box", box);
  const picture = plane(ui, { label: `${name}: an image, its feature map and a box`, into, room: half, hint, onMove });
  const describe = (row, column, value) => `bin in row ${row}, column ${column}: ${fixed(value, 2)}`;
  const onSelect = (row, column) => ui.set("selected", [row, column]);
  const bins = ui.grid({ label: `${name}'s output`, role: "output", cell: 44, describe, onSelect, into });
  const kept = {};
  const draw = (state, reading, limit) => {
    picture.draw(pictureOf(state, reading, kept));
    bins.draw({ values: reading.values, selected: state.at, limit, text: (value) => fixed(value, 2) });
  };
  return { draw };
}

/** All that is shown, from the state. */
function stateOf(ui) {
  const state = Object.fromEntries(NAMES.map((name) => [name, ui.get(name)]));
  const { image, box, stride, output, samples, half_pixel: halfPixel, selected } = state;
  const features = featureMap(image, stride / BLOCK);
  const at = selected.map((place) => Math.min(place, output - 1));
  const axes = [[box[1], box[3]], [box[0], box[2]]]; // down, and across
  const sizes = [features.length, features[0].length];
  const read = { features, box, axes, sizes, at, stride, output, samples, halfPixel };
  return { ...state, features, at, halfPixel, pool: poolReading(read), align: alignReading(read) };
}

function pictureOf({ image, features, stride, box, at }, reading, kept) {
  const spoken = `box, x ${number(box[0])} to ${number(box[2])}, y ${number(box[1])} to ${number(box[3])}`;
  const under = (scale) => {
    const key = `${scale} ${stride} ${image}`;
    if (kept.key !== key) Object.assign(kept, { key, drawn: backdrop(image, features, stride, scale) });
    return [kept.drawn];
  };
  const over = (scale) => [...hatchedCells(reading.cells, stride, scale), ...binShapes(reading, at, scale)];
  const boxes = [{ box, kind: "prediction", tag: "", spoken }];
  return { size: PICTURE, boxes, selected: 0, least: 1, margin: AROUND, under, over };
}

/** The image, lines between the cells of the map, and their numbers where there is room. */
function backdrop(image, features, stride, scale) {
  const limit = Math.max(...image.flat().map(Math.abs));
  const drawn = svg("g");
  image.forEach((line, row) =>
    line.forEach((value, column) => {
      const place = rectangle([column, row, column + 1, row + 1].map((edge) => edge * BLOCK), scale);
      drawn.append(svg("rect", { ...place, fill: diverging(value, limit) }));
    }),
  );
  const side = stride * scale;
  const [width, height] = PICTURE.map((length) => length * scale);
  const upright = features[0].map((_, column) => `M${column * side},0v${height}`);
  const level = features.map((_, row) => `M0,${row * side}h${width}`);
  drawn.append(svg("path", { d: [...upright, ...level].join(""), class: "cx-plane-lines" }));
  if (side < ROOM) return drawn;
  features.forEach((line, row) =>
    line.forEach((value, column) => {
      const middle = { x: (column + 0.5) * side, y: (row + 0.5) * side, "font-size": 12, class: "cx-number" };
      drawn.append(svg("text", middle, number(Math.round(value * 10) / 10)));
    }),
  );
  return drawn;
}

function hatchedCells([rows, columns], stride, scale) {
  const id = unique();
  const cells = rows.flatMap((row) =>
    columns.map((column) => {
      const place = rectangle([column, row, column + 1, row + 1].map((edge) => edge * stride), scale);
      return svg("rect", { ...place, fill: `url(#${id})` });
    }),
  );
  return [hatching(id), ...cells];
}

/** What all bins cover, the bins, the chosen one, and the points. */
function binShapes({ region, bins: [rows, columns], points }, at, scale) {
  const around = rectangle(region, scale);
  const shapes = ["cx-window", "cx-window-line"].map((name) => svg("rect", { ...around, class: name }));
  const bin = (row, column, name) => {
    const [y, x] = [inset(rows, row), inset(columns, column)];
    const place = rectangle([columns[column][0], rows[row][0], columns[column][1], rows[row][1]], scale);
    const inner = { x: place.x + x, y: place.y + y, width: place.width - 2 * x, height: place.height - 2 * y };
    shapes.push(svg("rect", { ...inner, class: name }));
  };
  rows.forEach((_, row) => columns.forEach((_, column) => bin(row, column, "cx-bin")));
  bin(...at, "cx-bin-chosen");
  return points ? [...shapes, ...dots(points, at, scale)] : shapes;
}

/** Screen pixels by which a bin is drawn smaller: where neighbours share cells, each is told from the next. */
function inset(bins, index) {
  const shared = bins.some(([, end], place) => bins[place + 1]?.[0] < end);
  return shared ? 2 + 3 * (index % 2) : 0;
}

function dots([down, across], at, scale) {
  const [rows, columns] = [down.flat(), across.flat()];
  const all = rows.flatMap((y) => columns.map((x) => `M${x * scale},${y * scale}h0`));
  const spaces = [rows, columns].map((axis) => ((axis.at(-1) - axis[0]) * scale) / axis.length);
  const size = Math.max(1.5, Math.min(4, ...spaces.map((space) => space / 3)));
  const r = Math.max(size, 3);
  const large = down[at[0]].flatMap((y) =>
    across[at[1]].map((x) => svg("circle", { cx: x * scale, cy: y * scale, r, class: "cx-dot" })),
  );
  return [svg("path", { d: all.join(""), class: "cx-points", "stroke-width": size }), ...large];
}

const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));

/** A number with so many digits after the point, and no minus sign before zero. */
function fixed(value, digits) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
}

/** Numbers in words: "1 to 3" where none between is missing. */
function listed(values) {
  if (values.length < 2) return values.join("") || "none";
  const [first, last] = [values[0], values.at(-1)];
  return last - first === values.length - 1 ? `${first} to ${last}` : values.join(", ");
}

function rowsOf({ pool, align, box, at, samples }) {
  const both = (cell) => [pool, align].map(cell);
  const value = ({ values }) => fixed(values[at[0]][at[1]], 2);
  const count = ({ cells: [rows, columns] }) => `${rows.length} × ${columns.length} = ${rows.length * columns.length}`;
  const moves = ({ region }) => region.map((edge, index) => signed(edge - box[index])).join(", ");
  return [
    { row: ["rows", ...both(({ cells }) => listed(cells[0]))] },
    { row: ["columns", ...both(({ cells }) => listed(cells[1]))] },
    { row: ["cells", ...both(count)] },
    { row: ["value", `maximum ${value(pool)}`, `mean of ${samples ** 2}: ${value(align)}`], marked: true },
    { row: ["region", ...both(({ region }) => region.map((edge) => number(edge)).join(", "))] },
    { row: ["minus box", ...both(moves)] },
    { row: ["IoU", ...both(({ iou }) => fixed(iou, 3))], marked: true },
    { row: ["off by", ...both(({ apart }) => fixed(apart, 2))] },
  ];
}

function sentence({ pool, align, stride, halfPixel }) {
  const [x1, y1, x2, y2] = pool.region.map((edge) => number(edge));
  const first = `RoIPool reads x ${x1} to ${x2}, y ${y1} to ${y2}: IoU ${fixed(pool.iou, 3)} with the box.`;
  if (halfPixel) return `${first} RoIAlign reads the box itself.`;
  const shift = `${number(stride / 2)} pixels, further right and down: IoU ${fixed(align.iou, 3)}`;
  return `${first} RoIAlign reads half a cell, ${shift}.`;
}

export default { render };
