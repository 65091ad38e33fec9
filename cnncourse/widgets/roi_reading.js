// What RoIPool and RoIAlign read from a feature map for a box: what cnncourse.roi computes.

/**
 * The mean of each square of a picture: a feature map.
 * @param {number[][]} image
 * @param {number} side of the squares
 * @returns {number[][]}
 */
export function featureMap(image, side) {
  const mean = (row, column) => {
    const lines = image.slice(row, row + side).map((line) => line.slice(column, column + side));
    return lines.flat().reduce((sum, value) => sum + value, 0) / side ** 2;
  };
  const steps = (length) => Array.from({ length: length / side }, (_, index) => index * side);
  return steps(image.length).map((row) => steps(image[0].length).map((column) => mean(row, column)));
}

/**
 * The first cell of each bin of RoIPool along one axis, and the one after its last: cnncourse.roi.pool_edges.
 * @param {number} start in pixels
 * @param {number} end
 * @param {number} output
 * @param {number} stride
 * @returns {[number, number][]}
 */
export function poolEdges(start, end, output, stride) {
  const [first, last] = [start, end].map((edge) => Math.floor(edge / stride + 0.5));
  const extent = last - first + 1;
  return Array.from({ length: output }, (_, place) => [
    first + Math.floor((place * extent) / output),
    first + Math.ceil(((place + 1) * extent) / output),
  ]);
}

/**
 * The largest cell of each bin: cnncourse.roi.roi_pool, of one map and one box.
 * @param {number[][]} features
 * @param {number[]} box in pixels
 * @param {number} output
 * @param {number} stride
 * @returns {number[][]}
 */
export function roiPool(features, [x1, y1, x2, y2], output, stride) {
  const cut = (edges, size) => edges.map((bin) => bin.map((edge) => Math.max(0, Math.min(edge, size))));
  const rows = cut(poolEdges(y1, y2, output, stride), features.length);
  const columns = cut(poolEdges(x1, x2, output, stride), features[0].length);
  return rows.map((row) =>
    columns.map((column) => {
      const cells = features.slice(...row).flatMap((line) => line.slice(...column));
      return cells.length ? Math.max(...cells) : 0;
    }),
  );
}

/**
 * Where the points of each bin of RoIAlign lie along one axis, in cells: cnncourse.roi.align_places.
 * @param {number} start in pixels
 * @param {number} end
 * @param {number} output
 * @param {number} stride
 * @param {number} samples
 * @param {boolean} halfPixel
 * @returns {number[][]} for each bin its points
 */
export function alignPlaces(start, end, output, stride, samples, halfPixel) {
  const size = halfPixel ? (end - start) / stride : Math.max((end - start) / stride, 1);
  const first = start / stride - (halfPixel ? 0.5 : 0);
  const place = (index) => first + ((index + 0.5) / (output * samples)) * size;
  return Array.from({ length: output }, (_, bin) =>
    Array.from({ length: samples }, (_, point) => place(bin * samples + point)),
  );
}

/**
 * How much each cell counts at a place: cnncourse.roi.cell_weights, of one place.
 * @param {number} place
 * @param {number} cells
 * @returns {number[]}
 */
export function cellWeights(place, cells) {
  const at = Math.max(0, Math.min(place, cells - 1));
  const weight = (cell) => (place < -1 || place > cells ? 0 : Math.max(0, 1 - Math.abs(at - cell)));
  return Array.from({ length: cells }, (_, cell) => weight(cell));
}

/**
 * The mean of the points of each bin: cnncourse.roi.roi_align, of one map and one box.
 * @param {number[][]} features
 * @param {number[]} box in pixels
 * @param {number} output
 * @param {number} stride
 * @param {number} samples
 * @param {boolean} halfPixel
 * @returns {number[][]}
 */
export function roiAlign(features, [x1, y1, x2, y2], output, stride, samples, halfPixel) {
  const how = [output, stride, samples, halfPixel];
  const rows = alignPlaces(y1, y2, ...how).map((places) => meanWeights(places, features.length));
  const columns = alignPlaces(x1, x2, ...how).map((places) => meanWeights(places, features[0].length));
  const dot = (first, second) => first.reduce((sum, value, index) => sum + value * second[index], 0);
  return rows.map((row) => columns.map((column) => dot(row, features.map((line) => dot(line, column)))));
}

/** How much each cell counts for a bin, along one axis. */
function meanWeights(places, cells) {
  const weights = places.map((place) => cellWeights(place, cells));
  return weights[0].map((_, cell) => weights.reduce((sum, each) => sum + each[cell], 0) / places.length);
}

/** Equal parts of a stretch. */
function equal(start, end, parts) {
  const edge = (index) => start + (index / parts) * (end - start);
  return Array.from({ length: parts }, (_, index) => [edge(index), edge(index + 1)]);
}

function poolReading({ features, box, axes, sizes, at, stride, output }) {
  const edges = axes.map((ends) => poolEdges(...ends, output, stride));
  const cells = edges.map((bins, axis) => upTo(sizes[axis]).filter((cell) => within(cell, bins[at[axis]])));
  const bins = edges.map((axis) => axis.map((bin) => bin.map((edge) => edge * stride)));
  return { ...measured(bins, axes, box), bins, cells, points: null, values: roiPool(features, box, output, stride) };
}

function alignReading({ features, box, axes, sizes, at, stride, output, samples, halfPixel }) {
  const how = [output, stride, samples, halfPixel];
  const places = axes.map((ends) => alignPlaces(...ends, ...how));
  const counts = places.map((bins, axis) => meanWeights(bins[at[axis]], sizes[axis]));
  const cells = counts.map((weights) => upTo(weights.length).filter((cell) => weights[cell] > 0));
  const bins = axes.map(([start, end]) => {
    if (halfPixel) return equal(start, end, output);
    return equal(start + stride / 2, Math.max(end, start + stride) + stride / 2, output);
  });
  const points = places.map((axis) => axis.map((bin) => bin.map((place) => (place + 0.5) * stride)));
  return { ...measured(bins, axes, box), bins, cells, points, values: roiAlign(features, box, ...how) };
}

const upTo = (count) => Array.from({ length: count }, (_, index) => index);
const within = (cell, [first, after]) => cell >= first && cell < after;

/** What bins cover together, and how far that is from the box: overlap, and between middles of bins. */
function measured(bins, axes, box) {
  const [rows, columns] = bins.map((axis) => axis.flat());
  const [top, left] = [Math.min(...rows), Math.min(...columns)];
  const region = [left, top, Math.max(...columns), Math.max(...rows)];
  const [down, right] = bins.map((axis, index) => {
    const meant = equal(...axes[index], axis.length);
    return axis.map(([start, end], place) => (start + end - meant[place][0] - meant[place][1]) / 2);
  });
  const lengths = down.flatMap((y) => right.map((x) => Math.hypot(x, y)));
  const apart = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return { region, iou: overlap(region, box).iou, apart };
}
