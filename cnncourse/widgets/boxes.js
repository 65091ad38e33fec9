// Boxes (x1, y1, x2, y2), half-open: what cnncourse.boxes computes, and how a box moves.

/**
 * The area of a box (x1, y1, x2, y2): cnncourse.boxes.box_area.
 * @param {number[]} box
 * @param {boolean} [inclusive] count both end pixels
 * @returns {number}
 */
export function boxArea([x1, y1, x2, y2], inclusive = false) {
  const more = inclusive ? 1 : 0;
  return (x2 - x1 + more) * (y2 - y1 + more);
}

/**
 * What two boxes share: cnncourse.boxes.box_overlap, of one pair.
 * @param {number[]} first
 * @param {number[]} second
 * @param {boolean} [inclusive]
 * @returns {{width: number, height: number, intersection: number, union: number, iou: number}}
 */
export function overlap(first, second, inclusive = false) {
  const [width, height] = [0, 1].map((axis) => {
    const side = Math.min(first[axis + 2], second[axis + 2]) - Math.max(first[axis], second[axis]);
    return Math.max(side + (inclusive ? 1 : 0), 0);
  });
  const intersection = width * height;
  const union = boxArea(first, inclusive) + boxArea(second, inclusive) - intersection;
  return { width, height, intersection, union, iou: union > 0 ? intersection / union : 0 };
}

/**
 * A box moved, as far as the picture goes.
 * @param {number[]} box
 * @param {number} right
 * @param {number} down
 * @param {[number, number]} size width and height of the picture
 * @returns {number[]}
 */
export function moved([x1, y1, x2, y2], right, down, [width, height]) {
  const dx = Math.max(-x1, Math.min(right, width - x2));
  const dy = Math.max(-y1, Math.min(down, height - y2));
  return [x1 + dx, y1 + dy, x2 + dx, y2 + dy];
}

/**
 * A box with one corner moved, inside the picture and not smaller than `least`.
 * @param {number[]} box
 * @param {[number, number]} corner indices of the two coordinates that move: [2, 3] is the lower right one
 * @param {number} right
 * @param {number} down
 * @param {[number, number]} size
 * @param {number} [least] the smallest side
 * @returns {number[]}
 */
export function resized(box, corner, right, down, size, least = 1) {
  const next = [...box];
  corner.forEach((index, axis) => {
    const to = box[index] + [right, down][axis];
    const other = box[(index + 2) % 4];
    if (index < 2) next[index] = Math.max(0, Math.min(to, other - least));
    else next[index] = Math.min(size[axis], Math.max(to, other + least));
  });
  return next;
}
