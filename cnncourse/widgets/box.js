// Two boxes: what they share, what they cover together, and the one divided by the other.

const PICTURE = [24, 16]; // width and height in pixels
const NAMES = ["truth", "prediction"];
const exact = (value) => number(value, 6); // what is added up must add up
const TITLES = { truth: "object", prediction: "prediction" };

function render({ model, el }) {
  const meanings = { truth: "object (truth)", prediction: "prediction", shared: "intersection" };
  const legend = Object.entries(meanings);
  const ui = frame(el, model, { title: "Intersection over union", legend });
  const boxes = plane(ui, {
    label: `A picture of ${PICTURE[0]} by ${PICTURE[1]} pixels with two boxes`,
    onMove: (index, box) => ui.set(NAMES[index], stored(box, ui.get("inclusive"))),
    onSelect: (index) => ui.set("chosen", NAMES[index]),
  });
  for (const name of NAMES) {
    const [read, write] = [() => ui.get(name), (box) => ui.set(name, box)];
    corners(ui, { label: TITLES[name], names: [name], read, write, size: () => PICTURE });
  }
  const row = html("div", { class: "cx-set" });
  ui.controls.append(row);
  ui.toggle({ name: "inclusive", label: "draw both end pixels (inclusive)", into: row });
  const side = html("div", { class: "cx-side" });
  ui.body.append(side);
  const table = makeTable("Areas of both boxes, intersection, union and IoU in two conventions", side);
  function draw() {
    const [truth, prediction] = NAMES.map(ui.get);
    boxes.draw(pictureOf(ui));
    fillTable(table, ["pixels", "half-open", "inclusive"], rowsOf(truth, prediction));
    ui.say(sentence(truth, prediction));
  }
  ui.onChange([...NAMES, "inclusive", "chosen"], draw);
  draw();
  return ui.end;
}

/** A box as it is drawn: inclusive, the pixels x2 and y2 belong to it. */
function drawn([x1, y1, x2, y2], inclusive) {
  return inclusive ? [x1, y1, x2 + 1, y2 + 1] : [x1, y1, x2, y2];
}

function stored([x1, y1, x2, y2], inclusive) {
  return inclusive ? [x1, y1, x2 - 1, y2 - 1] : [x1, y1, x2, y2];
}

function pictureOf(ui) {
  const inclusive = ui.get("inclusive");
  const boxes = NAMES.map((name) => {
    const [x1, y1, x2, y2] = ui.get(name);
    const spoken = `${TITLES[name]}, x ${number(x1)} to ${number(x2)}, y ${number(y1)} to ${number(y2)}`;
    const box = drawn(ui.get(name), inclusive);
    return { box, kind: name, tag: TITLES[name], last: name === "prediction", spoken };
  });
  const under = (scale) => [pixelLines(scale)];
  const over = (scale) => shared(boxes[0].box, boxes[1].box, scale);
  const selected = NAMES.indexOf(ui.get("chosen"));
  return { size: PICTURE, boxes, selected, least: inclusive ? 2 : 1, under, over };
}

function pixelLines(scale) {
  const [width, height] = PICTURE.map((side) => side * scale);
  const upright = Array.from({ length: PICTURE[0] - 1 }, (_, i) => `M${(i + 1) * scale},0v${height}`);
  const level = Array.from({ length: PICTURE[1] - 1 }, (_, i) => `M0,${(i + 1) * scale}h${width}`);
  return svg("path", { d: [...upright, ...level].join(""), class: "cx-plane-lines" });
}

/** The intersection, hatched, with its area if that fits. */
function shared(first, second, scale) {
  const { width, height, intersection } = overlap(first, second);
  if (!intersection) return [];
  const [left, top] = [0, 1].map((axis) => Math.max(first[axis], second[axis]));
  const place = rectangle([left, top, left + width, top + height], scale);
  const id = unique();
  const shapes = [hatching(id), svg("rect", { ...place, fill: `url(#${id})` })];
  if (place.width < 40 || place.height < 56) return shapes;
  const middle = { x: place.x + place.width / 2, y: place.y + place.height / 2 + 5, "text-anchor": "middle" };
  return [...shapes, svg("text", middle, exact(intersection))];
}

/**
 * How every number comes about, in both conventions.
 * @param {number[]} truth
 * @param {number[]} prediction
 * @returns {{row: string[], marked?: boolean}[]}
 */
function rowsOf(truth, prediction) {
  const ways = [false, true].map((inclusive) => ({ inclusive, ...overlap(truth, prediction, inclusive) }));
  const product = (width, height, area) => `${exact(width)} × ${exact(height)} = ${exact(area)}`;
  const sides = (box, { inclusive }) => {
    const [width, height] = [0, 1].map((axis) => box[axis + 2] - box[axis] + (inclusive ? 1 : 0));
    return product(width, height, boxArea(box, inclusive));
  };
  const sum = ({ inclusive, intersection, union }) => {
    const areas = [truth, prediction].map((box) => exact(boxArea(box, inclusive)));
    return `${areas.join(" + ")} − ${exact(intersection)} = ${exact(union)}`;
  };
  const share = (way) => `${exact(way.intersection)} / ${exact(way.union)} = ${way.iou.toFixed(3)}`;
  const change = ways[1].iou - ways[0].iou;
  return [
    { row: ["object", ...ways.map((way) => sides(truth, way))] },
    { row: ["prediction", ...ways.map((way) => sides(prediction, way))] },
    { row: ["intersection", ...ways.map((way) => product(way.width, way.height, way.intersection))] },
    { row: ["union", ...ways.map(sum)] },
    { row: ["IoU", ...ways.map(share)], marked: true },
    { row: ["change", "", `${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(3)}`] },
  ];
}

function sentence(truth, prediction) {
  const [half, both] = [false, true].map((inclusive) => overlap(truth, prediction, inclusive));
  const shares = half.intersection
    ? `They share ${exact(half.intersection)} of the ${exact(half.union)} pixels that they cover together`
    : "They share no pixel";
  return `${shares}: IoU ${half.iou.toFixed(3)}. Counted with both end pixels it is ${both.iou.toFixed(3)}.`;
}

export default { render };
