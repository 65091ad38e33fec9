// ConvExplorer: image, kernel, feature map; and how the chosen unit came about.

const NINTH = 1 / 9;
/** The kernels to choose from. */
export const KERNELS = {
  identity: [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
  "edge left-right": [[1, -1]],
  "edge top-bottom": [[1], [-1]],
  "Sobel left-right": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
  blur: [[NINTH, NINTH, NINTH], [NINTH, NINTH, NINTH], [NINTH, NINTH, NINTH]],
  sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  Laplacian: [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
};
const WHITE = 16;
const STATE = ["image", "kernel", "stride", "padding", "dilation", "flipped", "drawing"];

/**
 * The kernel as it is laid on a window: turned by 180 degrees if it is flipped.
 * @param {number[][]} kernel
 * @param {boolean} flipped
 * @returns {number[][]}
 */
export function laid(kernel, flipped) {
  return flipped ? kernel.map((row) => [...row].reverse()).reverse() : kernel;
}

/**
 * How one unit is computed.
 * @param {number[][]} image shape (H, W)
 * @param {number[][]} kernel shape (K_h, K_w)
 * @param {{stride: number, padding: number, dilation: number, flipped: boolean}} settings
 * @param {number} row of the unit
 * @param {number} column
 * @returns {{pixels: number[][], weights: number[][], products: number[][], sum: number}}
 */
export function unit(image, kernel, { stride, padding, dilation, flipped }, row, column) {
  const weights = laid(kernel, flipped);
  const pixels = weights.map((line, u) =>
    line.map((_, v) => image[row * stride - padding + u * dilation]?.[column * stride - padding + v * dilation] ?? 0),
  );
  const products = weights.map((line, u) => line.map((weight, v) => weight * pixels[u][v]));
  return { pixels, weights, products, sum: products.flat().reduce((sum, product) => sum + product, 0) };
}

/**
 * The feature map; without rows where no window fits.
 * @param {number[][]} image shape (H, W)
 * @param {number[][]} kernel shape (K_h, K_w)
 * @param {{stride: number, padding: number, dilation: number, flipped: boolean}} settings
 * @returns {number[][]} shape (H_out, W_out)
 */
export function convolve(image, kernel, settings) {
  const { stride, padding, dilation } = settings;
  const rows = outputSize(image.length, kernel.length, stride, padding, dilation);
  const columns = outputSize(image[0].length, kernel[0].length, stride, padding, dilation);
  if (!rows || !columns) return [];
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => unit(image, kernel, settings, i, j).sum),
  );
}

/** A matrix with another number of rows and columns: cut, or filled with zeros, at its end. */
export function resized(matrix, rows, columns) {
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => matrix[i]?.[j] ?? 0));
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const replaced = (matrix, i, j, value) => matrix.map((row, u) => row.map((old, v) => (u === i && v === j ? value : old)));
const framed = (image, p) =>
  Array.from({ length: image.length + 2 * p }, (_, i) =>
    Array.from({ length: image[0].length + 2 * p }, (_, j) => image[i - p]?.[j - p] ?? 0),
  );

/** The products and their sum, as one writes them down. */
export function written({ pixels, weights, sum }) {
  const term = (weight, v, u) => `${number(pixels[u][v])}·${weight < 0 ? `(${number(weight)})` : number(weight)}`;
  const terms = weights.map((line, u) => line.map((weight, v) => term(weight, v, u)).join(" + "));
  return `${terms.join(" + ")} = ${number(sum, 4)}`;
}

function addControls(ui, clear) {
  const names = () => ui.get("pictures").map(([name]) => [name, name]);
  ui.choice({
    label: "image",
    names: ["image", "pictures"],
    options: [...names(), ["own", "your own"]],
    read: () => ui.get("pictures").find(([, image]) => same(image, ui.get("image")))?.[0] ?? "own",
    write: (name) => {
      const image = ui.get("pictures").find(([known]) => known === name)?.[1];
      ui.set(image ? { image, drawing: false } : { drawing: true });
    },
  });
  ui.toggle({ name: "drawing", label: "draw on the image" });
  ui.button({ label: "Clear the image", press: clear });
  ui.choice({
    label: "kernel",
    names: ["kernel"],
    options: [...Object.keys(KERNELS), "your own"].map((name) => [name, name]),
    read: () => Object.keys(KERNELS).find((name) => same(KERNELS[name], ui.get("kernel"))) ?? "your own",
    write: (name) => KERNELS[name] && ui.set("kernel", KERNELS[name]),
  });
  const side = (label, read, write) => ui.knob({ label, names: ["kernel"], min: 1, max: 5, read, write });
  const size = () => [ui.get("kernel").length, ui.get("kernel")[0].length];
  side("kernel rows", () => size()[0], (rows) => ui.set("kernel", resized(ui.get("kernel"), rows, size()[1])));
  side("kernel columns", () => size()[1], (columns) => ui.set("kernel", resized(ui.get("kernel"), size()[0], columns)));
  ui.knob({ name: "stride", label: "stride", min: 1, max: 4 });
  ui.knob({ name: "padding", label: "padding", min: 0, max: 3 });
  ui.knob({ name: "dilation", label: "dilation", min: 1, max: 3 });
  ui.toggle({ name: "flipped", label: "flip the kernel" });
}

function describePixel(ui, row, column, value) {
  const image = ui.get("image");
  const inside = row >= 0 && column >= 0 && row < image.length && column < image[0].length;
  return inside ? describeCell(row, column, value) : `row ${row}, column ${column}: 0, padding`.replaceAll("-", "−");
}

function paintPixel(ui, stroke, i, j, dragged) {
  const padding = ui.get("padding");
  const [row, column] = [i - padding, j - padding];
  const old = ui.get("image")[row]?.[column];
  if (!ui.get("drawing") || old === undefined) return;
  if (!dragged) stroke.value = old > 0 ? 0 : WHITE;
  ui.set("image", replaced(ui.get("image"), row, column, stroke.value));
}

function makeGrids(ui) {
  const stroke = { value: WHITE };
  const input = ui.grid({
    label: "input",
    role: "input",
    drag: () => ui.get("drawing"),
    describe: (row, column, value) => describePixel(ui, row, column, value),
    onPress: (i, j, dragged) => paintPixel(ui, stroke, i, j, dragged),
  });
  const middle = html("div", { class: "cx-stack" });
  ui.body.append(middle);
  const kernel = ui.grid({
    label: "kernel",
    role: "kernel",
    into: middle,
    onEdit: (i, j, value) => ui.set("kernel", replaced(ui.get("kernel"), i, j, value)),
  });
  const products = ui.grid({ label: "products", role: "window", into: middle });
  const output = ui.grid({
    label: "feature map",
    role: "output",
    onSelect: (i, j) => ui.set("selected", [i, j]),
  });
  const sum = html("p", { class: "cx-formula" });
  ui.body.after(sum);
  return { input, kernel, products, output, sum };
}

/** The side of a cell with which input, kernel and output stand side by side, if there is one. */
function cellSide(ui, columns) {
  const room = ui.width - 90 - 36 * Math.max(3, ui.get("kernel")[0].length);
  const side = Math.floor(room / columns);
  return side < 24 ? 34 : Math.min(side, 40);
}

function render({ model, el }) {
  const ui = frame(el, model, {
    title: "Convolution",
    legend: [["window", "window of the chosen unit"]],
  });
  addControls(ui, () => ui.set({ image: ui.get("image").map((row) => row.map(() => 0)), drawing: true }));
  const parts = makeGrids(ui);
  const settings = () => Object.fromEntries(STATE.map((name) => [name, ui.get(name)]));
  const draw = () => show(ui, parts, settings());
  ui.onChange(STATE, () => {
    draw();
    ui.say(summary(settings()));
  });
  ui.onChange(["selected"], draw);
  ui.onResize(draw);
  draw();
  ui.say(summary(settings()));
  return ui.end;
}

export function summary(state) {
  const { image, kernel, padding, dilation } = state;
  const map = convolve(image, kernel, state);
  const covered = [kernel.length, kernel[0].length].map((side) => dilation * (side - 1) + 1).join(" × ");
  const padded = [image.length, image[0].length].map((side) => side + 2 * padding).join(" × ");
  if (!map.length) return `No window fits: the kernel covers ${covered} pixels, the padded input has ${padded}.`;
  const range = [Math.min, Math.max].map((pick) => number(pick(...map.flat()))).join(" to ");
  return `${image.length} × ${image[0].length} pixels become ${map.length} × ${map[0].length} units, from ${range}.`;
}

function nearest([row, column], map) {
  return [Math.min(row, map.length - 1), Math.min(column, map[0].length - 1)];
}

function show(ui, { input, kernel, products, output, sum }, state) {
  const { image, padding, stride, dilation, drawing } = state;
  const map = convolve(image, state.kernel, state);
  const chosen = map.length ? nearest(ui.get("selected"), map) : null;
  const made = chosen && unit(image, state.kernel, state, ...chosen);
  const cell = cellSide(ui, image[0].length + 2 * padding + (map[0]?.length ?? 0));
  const [row, column] = chosen?.map((place) => place * stride) ?? [0, 0];
  const [height, width] = [state.kernel.length, state.kernel[0].length].map((side) => dilation * (side - 1) + 1);
  const read = state.kernel.flatMap((line, u) => line.map((_, v) => [row + u * dilation, column + v * dilation]));
  const inside = (i, side) => i >= padding && i < side + padding;
  input.draw({
    values: framed(image, padding),
    cell,
    offset: [padding, padding],
    hatched: (i, j) => !inside(i, image.length) || !inside(j, image[0].length),
    windows: chosen ? [{ row, column, height, width }] : [],
    dots: chosen && dilation > 1 ? read : [],
    note: drawing ? "Press, or use the space bar, to draw." : padding ? "hatched: zeros of the padding" : "",
  });
  kernel.draw({ values: state.kernel, cell: 36, note: state.flipped ? "laid on turned by 180°" : "" });
  products.draw({ values: made?.products ?? [], cell: 36, note: made ? `sum ${number(made.sum, 4)}` : "" });
  output.draw({ values: map, cell, selected: chosen });
  sum.textContent = made ? `Row ${chosen[0]}, column ${chosen[1]}: ${written(made)}` : "";
}

export default { render };
