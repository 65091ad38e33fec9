// PoolExplorer: an image pooled, moved, and pooled again.

const KINDS = ["max", "average", "L2"];
const EQUAL = 1e-9;

/**
 * One number for a window.
 * @param {number[]} pixels
 * @param {"max" | "average" | "L2"} kind
 * @returns {number}
 */
export function summary(pixels, kind) {
  if (kind === "max") return Math.max(...pixels);
  if (kind === "L2") return Math.sqrt(pixels.reduce((sum, pixel) => sum + pixel * pixel, 0));
  return pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length;
}

/** The pixels of the window of a unit, in reading order. */
function windowOf(image, size, stride, row, column) {
  const lines = image.slice(row * stride, row * stride + size);
  return lines.flatMap((line) => line.slice(column * stride, column * stride + size));
}

/**
 * The pooled image.
 * @param {number[][]} image shape (H, W)
 * @param {"max" | "average" | "L2"} kind
 * @param {number} size of the windows
 * @param {number} stride
 * @returns {number[][]} shape (H_out, W_out)
 */
export function pooled(image, kind, size, stride) {
  const [rows, columns] = [image.length, image[0].length].map((side) => outputSize(side, size, stride));
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => summary(windowOf(image, size, stride, i, j), kind)),
  );
}

/**
 * The image moved by whole pixels; zeros come in.
 * @param {number[][]} image
 * @param {number} down
 * @param {number} right
 * @returns {number[][]}
 */
export function moved(image, down, right) {
  return image.map((row, i) => row.map((_, j) => image[i - down]?.[j - right] ?? 0));
}

/**
 * How far two outputs are apart.
 * @param {number[][]} before
 * @param {number[][]} after
 * @returns {{units: number, changed: number, mean: number, largest: number, share: number}} of `share`: the
 *   length of the difference divided by that of `before`, as vectors
 */
export function changes(before, after) {
  const distances = before.flatMap((row, i) => row.map((value, j) => Math.abs(after[i][j] - value)));
  const length = (values) => Math.hypot(...values);
  return {
    units: distances.length,
    changed: distances.filter((distance) => distance > EQUAL).length,
    mean: distances.reduce((sum, distance) => sum + distance, 0) / distances.length,
    largest: Math.max(...distances),
    share: length(distances) / (length(before.flat()) || 1),
  };
}

/**
 * Whether the output has moved along with the image and done nothing else: equivariance.
 * @param {number[][]} before
 * @param {number[][]} after
 * @param {number} down pixels by which the image moved
 * @param {number} right
 * @param {number} stride
 * @returns {boolean}
 */
export function movedAlong(before, after, down, right, stride) {
  if (down % stride || right % stride) return false;
  return changes(moved(before, down / stride, right / stride), after).changed === 0;
}

const units = (count) => `${count} ${count === 1 ? "unit" : "units"}`;
const pixels = (count) => `${count} ${count === 1 ? "pixel" : "pixels"}`;

/** In which direction and by how much: "2 pixels down and 1 pixel left". */
function direction(down, right, counted) {
  const parts = [];
  if (down) parts.push(`${counted(Math.abs(down))} ${down > 0 ? "down" : "up"}`);
  if (right) parts.push(`${counted(Math.abs(right))} ${right > 0 ? "right" : "left"}`);
  return parts.join(" and ");
}

/** What happened, in a sentence or two. */
function sentence({ kind, stride, down, right }, before, after) {
  if (!down && !right) return "The image has not moved.";
  const found = changes(before, after);
  const start = `The image moved ${direction(down, right, pixels)}.`;
  if (!found.changed) return `${start} No output of ${kind} pooling changed: invariance.`;
  const how = `${found.changed} of ${units(found.units)} changed, by ${number(found.mean)} on average over all`;
  const said = `${start} ${how}`;
  if (!movedAlong(before, after, down, right, stride)) return `${said} and by at most ${number(found.largest)}.`;
  return `${said}, yet the outputs only moved along, ${direction(down / stride, right / stride, units)}: equivariance.`;
}

function addControls(ui) {
  ui.choice({
    label: "image",
    names: ["image", "pictures"],
    options: [...ui.get("pictures").map(([name]) => [name, name]), ["own", "your own"]],
    read: () => ui.get("pictures").find(([, known]) => String(known) === String(ui.get("image")))?.[0] ?? "own",
    write: (name) => {
      const image = ui.get("pictures").find(([known]) => known === name)?.[1];
      if (image) ui.set("image", image);
    },
  });
  ui.choice({ name: "kind", label: "pooling", options: KINDS.map((kind) => [kind, kind]) });
  ui.knob({ name: "kernel_size", label: "window size", min: 1, max: 4 });
  ui.knob({ name: "stride", label: "stride", min: 1, max: 4 });
  ui.knob({ name: "right", label: "move right", min: -3, max: 3 });
  ui.knob({ name: "down", label: "move down", min: -3, max: 3 });
}

function makeGrids(ui, state) {
  const select = (row, column) => ui.set("selected", [row, column]);
  return {
    image: ui.grid({
      label: "image, moved",
      role: "input",
      cell: 30,
      onEdit: (row, column, value) => {
        const { image, down, right } = state();
        const [i, j] = [row - down, column - right];
        if (image[i]?.[j] === undefined) return;
        ui.set("image", image.map((line, u) => line.map((old, v) => (u === i && v === j ? value : old))));
      },
    }),
    before: ui.grid({ label: "output before", role: "output", cell: 44, onSelect: select }),
    after: ui.grid({ label: "output after", role: "output", cell: 44, onSelect: select }),
  };
}

/** The table that compares the three kinds for the same move. */
function table(ui) {
  const head = ["pooling", "changed", "mean change", "relative"];
  const caption = "The same move, without pooling and with each kind; relative: the change's length over the output's";
  const body = html("tbody");
  ui.body.append(
    html(
      "table",
      { class: "cx-table" },
      html("caption", {}, caption),
      html("thead", {}, html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name)))),
      body,
    ),
  );
  return (rows) =>
    body.replaceChildren(
      ...rows.map(([name, ...cells]) =>
        html("tr", {}, html("th", { scope: "row" }, name), ...cells.map((cell) => html("td", {}, cell))),
      ),
    );
}

/** A line of it; the relative change is the length of the difference over that of the output before. */
function row(name, before, after) {
  const { changed, units: all, mean, share } = changes(before, after);
  return [name, `${changed} of ${all}`, number(mean), `${number(100 * share)} %`];
}

function render({ model, el }) {
  const ui = frame(el, model, {
    title: "Pooling and moving",
    legend: [["input", "input"], ["output", "output"], ["window", "window of the chosen unit; dot: the unit changed"]],
  });
  const names = ["image", "kind", "kernel_size", "stride", "down", "right", "selected"];
  const state = () => Object.fromEntries(names.map((name) => [name, ui.get(name)]));
  addControls(ui);
  const grids = makeGrids(ui, state);
  const compare = table(ui);
  function draw() {
    const now = state();
    const { image, kind, kernel_size: size, stride, down, right } = now;
    const after = moved(image, down, right);
    const outputs = [pooled(image, kind, size, stride), pooled(after, kind, size, stride)];
    const at = now.selected.map((place, axis) => Math.min(place, (axis ? outputs[0][0] : outputs[0]).length - 1));
    const inside = windowOf(after, size, stride, ...at);
    const note = `${kind} of ${inside.map((pixel) => number(pixel)).join(", ")} = ${number(summary(inside, kind))}`;
    const frames = [{ row: at[0] * stride, column: at[1] * stride, height: size, width: size }];
    const dots = [];
    outputs[0].forEach((row, i) => {
      row.forEach((value, j) => Math.abs(value - outputs[1][i][j]) > EQUAL && dots.push([i, j]));
    });
    const limit = Math.max(...outputs.flat(2).map(Math.abs));
    grids.image.draw({ values: after, windows: frames, note });
    grids.before.draw({ values: outputs[0], selected: at, limit });
    grids.after.draw({ values: outputs[1], selected: at, limit, dots });
    compare([
      row("none", image, after),
      ...KINDS.map((name) => row(name, pooled(image, name, size, stride), pooled(after, name, size, stride))),
    ]);
    ui.say(sentence(now, ...outputs));
  }
  ui.onChange(names, draw);
  draw();
  return ui.end;
}

export default { render };
