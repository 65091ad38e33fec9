// BackpropExplorer: the gradients of a convolution or a max pooling, and where each part of them comes from.

const CONVOLUTION = "convolution";
const STATE = ["layer", "image", "kernel", "stride", "padding", "gradient", "selected", "pixel", "alone"];

/** A matrix from a function of row and column. */
const matrix = (rows, columns, fill) =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => fill(i, j)));

/**
 * The geometry of a layer: where its windows lie.
 * @param {{layer: string, image: number[][], kernel: number[][], stride: number, padding: number}} state
 * @returns {{rows: number, columns: number, size: number[], padding: number[], stride: number}}
 */
export function geometry({ layer, image, kernel, stride, padding }) {
  const size = [kernel.length, kernel[0].length];
  const pads = size.map((side) => (layer === CONVOLUTION ? padding : Math.min(padding, Math.floor(side / 2))));
  const [rows, columns] = [image.length, image[0].length].map((side, axis) =>
    outputSize(side, size[axis], stride, pads[axis]),
  );
  return { rows, columns, size, padding: pads, stride };
}

/** The pixels of a window: [row and column in the image, row and column in the window]. */
function places({ size, padding, stride }, i, j) {
  const [p, q] = [i * stride - padding[0], j * stride - padding[1]];
  return matrix(...size, (u, v) => [p + u, q + v, u, v]).flat();
}

/**
 * The places of the largest pixels of a window, in reading order: more than one is a tie.
 * @param {object} state
 * @param {number} i row of the unit
 * @param {number} j
 * @returns {number[][]} rows and columns in the image
 */
export function winners(state, i, j) {
  const inside = places(geometry(state), i, j).filter(([r, c]) => state.image[r]?.[c] !== undefined);
  const most = Math.max(...inside.map(([r, c]) => state.image[r][c]));
  return inside.filter(([r, c]) => state.image[r][c] === most).map(([r, c]) => [r, c]);
}

/**
 * What the layer computes.
 * @param {object} state
 * @returns {number[][]} shape (H_out, W_out)
 */
export function output(state) {
  const shape = geometry(state);
  return matrix(shape.rows, shape.columns, (i, j) => {
    if (state.layer !== CONVOLUTION) {
      const [[row, column]] = winners(state, i, j);
      return state.image[row][column];
    }
    return places(shape, i, j).reduce((sum, [r, c, u, v]) => sum + (state.image[r]?.[c] ?? 0) * state.kernel[u][v], 0);
  });
}

/**
 * The gradient of every output: what was given, zero elsewhere, and with `alone` only that of the chosen output.
 * @param {object} state
 * @returns {number[][]} shape (H_out, W_out)
 */
export function outputGradient(state) {
  const { rows, columns } = geometry(state);
  const [row, column] = nearest(state.selected, rows, columns);
  return matrix(rows, columns, (i, j) =>
    state.alone && (i !== row || j !== column) ? 0 : (state.gradient[i]?.[j] ?? 0),
  );
}

/**
 * The parts of which the gradient of one pixel is the sum.
 * @param {object} state
 * @param {number} row of the pixel
 * @param {number} column
 * @returns {{unit: number[], gradient: number, weight: number}[]} an output, its gradient, and the factor
 */
export function partsOf(state, row, column) {
  const shape = geometry(state);
  const parts = [];
  outputGradient(state).forEach((line, i) =>
    line.forEach((gradient, j) => {
      const [u, v] = [row - i * shape.stride + shape.padding[0], column - j * shape.stride + shape.padding[1]];
      if (u < 0 || v < 0 || u >= shape.size[0] || v >= shape.size[1]) return;
      if (state.layer === CONVOLUTION) parts.push({ unit: [i, j], gradient, weight: state.kernel[u][v] });
      else {
        const [first] = winners(state, i, j);
        parts.push({ unit: [i, j], gradient, weight: Number(first[0] === row && first[1] === column) });
      }
    }),
  );
  return parts;
}

/**
 * The gradients of input and kernel.
 * @param {object} state
 * @returns {{input: number[][], kernel: number[][] | null}} of the shapes of both; no kernel in pooling
 */
export function gradients(state) {
  const { image } = state;
  const total = (parts) => parts.reduce((sum, { gradient, weight }) => sum + gradient * weight, 0);
  const input = matrix(image.length, image[0].length, (i, j) => total(partsOf(state, i, j)));
  if (state.layer !== CONVOLUTION) return { input, kernel: null };
  const shape = geometry(state);
  const kernel = matrix(...shape.size, () => 0);
  outputGradient(state).forEach((line, i) =>
    line.forEach((gradient, j) => {
      for (const [r, c, u, v] of places(shape, i, j)) kernel[u][v] += gradient * (image[r]?.[c] ?? 0);
    }),
  );
  return { input, kernel };
}

/** The place that exists and is nearest. */
const nearest = ([row, column], rows, columns) => [Math.min(row, rows - 1), Math.min(column, columns - 1)];
const place = ([row, column]) => `(${row}, ${column})`;
const bracketed = (value) => (value < 0 ? `(${number(value)})` : number(value));

/** How the gradient of a pixel comes about, written as a sum over the outputs that it flowed from. */
export function written(state, pixel) {
  const parts = partsOf(state, ...pixel);
  if (!parts.length) return `Pixel ${place(pixel)} lies in no window: no gradient reaches it.`;
  const flows = parts.filter(({ gradient, weight }) => gradient && weight);
  const sum = flows.reduce((total, { gradient, weight }) => total + gradient * weight, 0);
  const lies = `Pixel ${place(pixel)} lies in ${parts.length} ${parts.length === 1 ? "window" : "windows"}`;
  if (!flows.length) return `${lies}; none sends it a gradient.`;
  const terms = flows.map(({ unit, gradient, weight }) => {
    const factor = state.layer === CONVOLUTION ? ` · ${bracketed(weight)}` : "";
    return `${bracketed(gradient)}${factor} from ${place(unit)}`;
  });
  return `${lies}. Its gradient: ${terms.join(" + ")} = ${number(sum)}.`;
}

/** What the chosen output does with its gradient. */
function sentence(state, at) {
  const gradient = outputGradient(state)[at[0]][at[1]];
  const start = `Output ${place(at)} has gradient ${number(gradient)}.`;
  if (state.layer === CONVOLUTION) {
    if (!gradient) return `${start} Nothing flows from it: give it one by pressing it.`;
    const times = `${number(gradient)} ×`;
    return `${start} It adds ${times} the kernel to its window's gradient, and ${times} its window to the kernel's.`;
  }
  const tied = winners(state, ...at);
  const goes = gradient ? `All of it goes to pixel ${place(tied[0])}` : `It would go to pixel ${place(tied[0])}`;
  const tie = `: ${tied.length} pixels are tied, and the first in reading order is taken; any one would do`;
  return `${start} ${goes}, the largest of the window${tied.length > 1 ? tie : ""}.`;
}

function addControls(ui, state) {
  const fill = (value) => () => {
    const { rows, columns } = geometry(state());
    ui.set({ gradient: matrix(rows, columns, () => value), alone: false });
  };
  const resize = (side) =>
    ui.set("kernel", matrix(side, side, (i, j) => ui.get("kernel")[i]?.[j] ?? ((i + j) % 3) - 1));
  ui.choice({ name: "layer", label: "layer", options: [CONVOLUTION, "max pooling"].map((name) => [name, name]) });
  ui.knob({
    label: "window size", names: ["kernel"], min: 1, max: 3, read: () => ui.get("kernel").length, write: resize,
  });
  ui.knob({ name: "stride", label: "stride", min: 1, max: 3 });
  ui.knob({ name: "padding", label: "padding", min: 0, max: 1 });
  ui.toggle({ name: "alone", label: "only the chosen output's share" });
  ui.button({ label: "All gradients 1", press: fill(1) });
  ui.button({ label: "All gradients 0", press: fill(0) });
}

/** The same matrix with one other number. */
const replaced = (values, i, j, value) =>
  values.map((line, u) => line.map((old, v) => (u === i && v === j ? value : old)));

function makeGrids(ui, state) {
  const pick = (row, column) => ui.set("selected", [row, column]);
  const give = (row, column) => {
    const now = state();
    const { rows, columns } = geometry(now);
    const all = matrix(rows, columns, (i, j) => now.gradient[i]?.[j] ?? 0);
    ui.set({ gradient: replaced(all, row, column, all[row][column] ? 0 : 1), selected: [row, column] });
  };
  const edit = (name) => (row, column, value) => ui.set(name, replaced(ui.get(name), row, column, value));
  const inputs = html("div", { class: "cx-stack" });
  const kernels = html("div", { class: "cx-stack" });
  const outputs = html("div", { class: "cx-stack" });
  ui.body.append(inputs, kernels, outputs);
  return {
    kernels,
    image: ui.grid({ label: "input", role: "input", into: inputs, onEdit: edit("image") }),
    imageGradient: ui.grid({
      label: "gradient of the input",
      role: "gradient",
      into: inputs,
      onSelect: (row, column) => ui.set("pixel", [row, column]),
    }),
    kernel: ui.grid({ label: "kernel", role: "kernel", into: kernels, onEdit: edit("kernel") }),
    kernelGradient: ui.grid({ label: "gradient of the kernel", role: "gradient", into: kernels }),
    output: ui.grid({ label: "output", role: "output", into: outputs, onSelect: pick }),
    given: ui.grid({
      label: "gradient of the output (press)",
      role: "gradient",
      into: outputs,
      onSelect: pick,
      onPress: give,
    }),
  };
}

/** The part of a window that lies in the image, as a mark. */
function frameOf(shape, image, [i, j]) {
  const top = i * shape.stride - shape.padding[0];
  const left = j * shape.stride - shape.padding[1];
  const [row, column] = [Math.max(0, top), Math.max(0, left)];
  const height = Math.min(image.length, top + shape.size[0]) - row;
  const width = Math.min(image[0].length, left + shape.size[1]) - column;
  return { row, column, height, width };
}

function drawGrids(grids, state, at, pixel) {
  const shape = geometry(state);
  const found = gradients(state);
  const windows = [frameOf(shape, state.image, at)];
  const dots = state.layer === CONVOLUTION ? [] : [winners(state, ...at)[0]];
  const from = partsOf(state, ...pixel).filter(({ gradient, weight }) => gradient && weight);
  grids.image.draw({ values: state.image, windows, dots });
  grids.imageGradient.draw({ values: found.input, windows, dots, selected: pixel });
  grids.output.draw({ values: output(state), selected: at });
  grids.given.draw({ values: outputGradient(state), selected: at, dots: from.map(({ unit }) => unit) });
  grids.kernels.hidden = !found.kernel;
  if (!found.kernel) return;
  grids.kernel.draw({ values: state.kernel });
  grids.kernelGradient.draw({ values: found.kernel });
}

function render({ model, el }) {
  const ui = frame(el, model, {
    title: "Backpropagation",
    legend: [
      ["input", "input"],
      ["kernel", "kernel"],
      ["output", "output"],
      ["gradient", "gradient of the loss"],
      ["window", "window of the chosen output; dot: the pixel that wins, the outputs that reach the chosen pixel"],
    ],
  });
  const state = () => Object.fromEntries(STATE.map((name) => [name, ui.get(name)]));
  addControls(ui, state);
  const grids = makeGrids(ui, state);
  const sum = html("p", { class: "cx-note" });
  ui.body.after(sum);
  function draw() {
    const now = state();
    const { rows, columns } = geometry(now);
    const at = nearest(now.selected, rows, columns);
    const pixel = nearest(now.pixel, now.image.length, now.image[0].length);
    drawGrids(grids, now, at, pixel);
    sum.textContent = written(now, pixel);
    ui.say(sentence(now, at));
  }
  ui.onChange(STATE, draw);
  draw();
  return ui.end;
}

export default { render };
