// A picture with boxes to drag, by pointer or keyboard.

const REACH = 12; // pixels beyond its edge where a box can still be taken hold of
const HANDLE = 28; // pixels: what a finger can hit at a corner
const WIDEST = 480;
const BESIDE = 352; // pixels kept free for numbers, where they can stand beside the picture
const WIDE = 620;

/**
 * A picture with boxes.
 * @param {object} ui from frame
 * @param {object} options
 * @param {string} options.label what the picture is, read out
 * @param {(index: number, box: number[]) => void} options.onMove a box was moved or resized
 * @param {(index: number) => void} [options.onSelect] a box was chosen: pressed, or reached by Tab
 * @param {(x: number, y: number) => void} [options.onPress] the picture was pressed where no box is
 * @param {(width: number) => number} [options.room] how wide the picture may be in an explorer of this width
 * @param {string} [options.hint] stands below
 * @param {HTMLElement} [options.into]
 * @returns {{draw: (state: object) => void}} state: size, boxes ({box, kind, look, tag, last, spoken}),
 *   selected (an index), under and over (scale => SVG elements), least (the smallest side of a box),
 *   margin (screen pixels around the picture, where what `over` draws is still seen)
 */
function plane(ui, options) {
  const plain = { room: besideNumbers, hint: KEYS, into: ui.body };
  const self = { ui, groups: [], tags: svg("g", { "aria-hidden": "true", class: "cx-tags" }), ...plain, ...options };
  self.under = svg("g", { "aria-hidden": "true" });
  self.boxes = svg("g");
  self.over = svg("svg", { "aria-hidden": "true", class: "cx-over" }); // cuts off what leaves the margin
  self.handles = svg("g", { "aria-hidden": "true" });
  self.svg = svg("svg", { role: "group", "aria-label": options.label, "data-lm-suppress-shortcuts": "true" });
  self.svg.append(self.under, self.boxes, self.over, self.tags, self.handles);
  self.note = html("p", { class: "cx-note", id: unique() }, self.hint);
  self.element = html("div", { class: "cx-plane" }, self.svg, self.note);
  self.into.append(self.element);
  follow(self);
  ui.onResize(() => self.state && paintPlane(self));
  return {
    draw(state) {
      self.state = { selected: null, under: () => [], over: () => [], least: 1, margin: 1, ...state };
      paintPlane(self);
    },
  };
}

const besideNumbers = (width) => (width < WIDE ? width : width - BESIDE);
const KEYS = "Drag a box or its corners. Keyboard: Tab to a box; arrow keys move it, with Shift resize it.";

function paintPlane(self) {
  const { size, boxes, selected, margin } = self.state;
  const room = Math.min(self.room(self.ui.root.clientWidth), WIDEST);
  self.scale = Math.max(room - 2 * margin, 100) / size[0];
  const [width, height] = size.map((side) => side * self.scale + 2 * margin);
  const viewBox = `${-margin} ${-margin} ${width} ${height}`;
  assign(self.svg, { width, height, viewBox });
  self.element.style.width = `${width}px`;
  assign(self.over, { x: -margin, y: -margin, width, height, viewBox });
  const edge = svg("rect", { ...rectangle([0, 0, ...size], self.scale), class: "cx-plane-edge" });
  self.under.replaceChildren(edge, ...self.state.under(self.scale));
  self.over.replaceChildren(...self.state.over(self.scale));
  while (self.groups.length > boxes.length) self.groups.pop().remove();
  while (self.groups.length < boxes.length) addBox(self);
  boxes.forEach((box, index) => paintBox(self, box, index));
  self.tags.replaceChildren(...boxes.map((each) => tagOf(each, self.scale)));
  self.handles.replaceChildren(...(boxes[selected] ? CORNERS.map((corner) => handle(self, corner)) : []));
}

/** The attributes of a box's rectangle. */
function rectangle([x1, y1, x2, y2], scale) {
  return { x: x1 * scale, y: y1 * scale, width: (x2 - x1) * scale, height: (y2 - y1) * scale };
}

function addBox(self) {
  const index = self.groups.length;
  const group = svg("g", { role: "button", tabindex: 0, "aria-describedby": self.note.id });
  const lines = ["cx-box-line", "cx-window-line", "cx-box-ring"];
  group.append(...lines.map((name) => svg("rect", { class: name })));
  group.addEventListener("focus", () => self.state.selected !== index && self.onSelect?.(index));
  group.addEventListener("keydown", (event) => pushBox(self, index, event));
  self.groups.push(group);
  self.boxes.append(group);
}

function paintBox(self, { box, kind, look = "solid", spoken }, index) {
  const place = rectangle(box, self.scale);
  const [line, dashes, ring] = self.groups[index].children;
  assign(line, place);
  assign(dashes, place);
  assign(ring, { x: place.x - 4, y: place.y - 4, width: place.width + 8, height: place.height + 8 });
  assign(self.groups[index], {
    class: `cx-box cx-${kind} cx-${look}`,
    "aria-label": spoken,
    "aria-pressed": String(index === self.state.selected),
  });
}

/** A box's name, above all boxes: at its first corner, or at its last one. */
function tagOf({ box, look, tag, last = false }, scale) {
  const [x1, y1, x2, y2] = box.map((edge) => edge * scale);
  const place = last ? { x: x2 - 6, y: y2 - 6, "text-anchor": "end" } : { x: x1 + 6, y: y1 + 16 };
  return svg("text", { ...place, class: look && `cx-${look}` }, tag);
}

const CORNERS = [[0, 1], [2, 1], [2, 3], [0, 3]];

function handle(self, corner) {
  const { box } = self.state.boxes[self.state.selected];
  const [x, y] = corner.map((index) => box[index] * self.scale);
  const slope = (corner[0] === 0) === (corner[1] === 1) ? "nwse" : "nesw";
  return svg("rect", { x: x - 5, y: y - 5, width: 10, height: 10, class: `cx-handle cx-${slope}` });
}

/** Where a pointer is, in the picture's own pixels. */
function spot(self, event) {
  const frame = self.svg.getBoundingClientRect();
  const { margin } = self.state;
  return [event.clientX - frame.left, event.clientY - frame.top].map((at) => (at - margin) / self.scale);
}

/** What a pointer takes hold of: a corner of the chosen box, or the box whose edge is nearest; or nothing. */
function grasp(self, [x, y]) {
  const { boxes, selected } = self.state;
  const near = ([x1, y1, x2, y2]) => Math.max(x1 - x, y1 - y, x - x2, y - y2) * self.scale; // below 0 inside
  if (boxes[selected]) {
    const { box } = boxes[selected];
    const reach = (side) => Math.min(HANDLE / 2, (side * self.scale) / 3); // a small box can be moved too
    const inside = near(box) < 0;
    const hit = CORNERS.find(([i, j]) => {
      const [right, down] = [Math.abs(box[i] - x) * self.scale, Math.abs(box[j] - y) * self.scale];
      const most = inside ? [reach(box[2] - box[0]), reach(box[3] - box[1])] : [HANDLE / 2, HANDLE / 2];
      return right <= most[0] && down <= most[1];
    });
    if (hit) return { index: selected, corner: hit };
  }
  const edges = boxes.map(({ box }, index) => ({ index, far: near(box) })).filter(({ far }) => far <= REACH);
  edges.sort((a, b) => Math.abs(a.far) - Math.abs(b.far));
  return edges.length ? { index: edges[0].index, corner: null } : null;
}

function follow(self) {
  let held = null;
  self.svg.addEventListener("pointerdown", (event) => {
    const at = spot(self, event);
    const taken = grasp(self, at);
    if (event.button !== 0) return;
    if (!taken) {
      self.onPress?.(...at);
      return;
    }
    event.preventDefault();
    self.svg.setPointerCapture(event.pointerId);
    held = { ...taken, at, box: self.state.boxes[taken.index].box };
    self.groups[taken.index].focus({ preventScroll: true });
    if (self.state.selected !== taken.index) self.onSelect?.(taken.index);
  });
  self.svg.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [right, down] = spot(self, event).map((to, axis) => Math.round(to - held.at[axis]));
    shift(self, held.index, held.box, held.corner, right, down);
  });
  for (const name of ["pointerup", "pointercancel"]) self.svg.addEventListener(name, () => (held = null));
  const keep = (event) => grasp(self, spot(self, event.touches[0])) && event.preventDefault();
  self.svg.addEventListener("touchstart", keep, { passive: false }); // else the page scrolls under the finger
}

function pushBox(self, index, event) {
  const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  if (!step || event.altKey || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  shift(self, index, self.state.boxes[index].box, event.shiftKey ? [2, 3] : null, ...step);
}

function shift(self, index, box, corner, right, down) {
  const { size, least, boxes } = self.state;
  const next = corner ? resized(box, corner, right, down, size, least) : moved(box, right, down, size);
  if (String(next) !== String(boxes[index].box)) self.onMove(index, next);
}
