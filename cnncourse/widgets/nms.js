// Non-maximum suppression: which box is kept, which it suppresses, one step after the other.

const PICTURE = [80, 50]; // width and height in pixels

function render({ model, el }) {
  const legend = [["prediction", "box"], ["window", "kept in this step"], ["shape", "object to find"]];
  const ui = frame(el, model, { title: "Non-maximum suppression", legend });
  ui.knob({ name: "iou_threshold", label: "IoU threshold", min: 0, max: 1, step: 0.01, text: twoDigits });
  ui.knob({ name: "score_threshold", label: "score threshold", min: 0, max: 1, step: 0.01, text: twoDigits });
  const buttons = stepButtons(ui);
  const boxes = plane(ui, {
    label: "A picture with boxes and their scores",
    onMove: (index, box) => replace(ui, "boxes", index, box),
    onSelect: (index) => ui.set("chosen", index),
  });
  const side = html("div", { class: "cx-side" });
  ui.body.append(side);
  const table = makeTable("Boxes by score, and what becomes of them", side);
  chosenBox(ui, side);
  function draw() {
    const state = stateOf(ui);
    boxes.draw(pictureOf(ui, state));
    fillTable(table, headOf(state), rowsOf(state));
    buttons(state);
    ui.say(sentence(state));
  }
  const names = ["boxes", "scores", "objects", "iou_threshold", "score_threshold", "step", "chosen"];
  ui.onChange(names, draw);
  draw();
  return ui.end;
}

/**
 * The steps of greedy suppression: cnncourse.boxes.nms_steps.
 * @param {number[][]} boxes
 * @param {number[]} scores
 * @param {number} iouThreshold an IoU above it suppresses
 * @param {number} scoreThreshold a score below it takes no part
 * @returns {{kept: number, rivals: number[], iou: number[], suppressed: number[]}[]}
 */
export function nmsSteps(boxes, scores, iouThreshold, scoreThreshold) {
  const order = boxes.map((_, index) => index).sort((a, b) => scores[b] - scores[a] || a - b);
  let left = order.filter((index) => scores[index] >= scoreThreshold);
  const steps = [];
  while (left.length) {
    const [kept, ...rivals] = left;
    const iou = rivals.map((index) => overlap(boxes[kept], boxes[index]).iou);
    steps.push({ kept, rivals, iou, suppressed: rivals.filter((_, k) => iou[k] > iouThreshold) });
    left = rivals.filter((_, k) => iou[k] <= iouThreshold);
  }
  return steps;
}

const twoDigits = (value) => value.toFixed(2);
const letter = (index) => String.fromCharCode(65 + index);
const counted = (list, one, more) => `${list.length} ${one}${list.length === 1 ? "" : more}`;
const letters = (indices) => indices.map(letter).join(", ");

function stepButtons(ui) {
  const into = html("div", { class: "cx-choices", role: "group", "aria-label": "Steps" });
  ui.controls.append(into);
  const go = (change) => () => {
    const { step, steps } = stateOf(ui);
    ui.set("step", Math.max(0, Math.min(step + change, steps.length)));
  };
  const back = ui.button({ label: "Back", press: go(-1), into });
  const forward = ui.button({ label: "Next step", press: go(1), into });
  const all = ui.button({ label: "All steps", press: () => ui.set("step", ui.get("boxes").length), into });
  return ({ step, steps }) => {
    const off = [[back, step === 0], [forward, step === steps.length], [all, step === steps.length]];
    for (const [button, nothing] of off) button.setAttribute("aria-disabled", nothing); // it keeps the focus
  };
}

/** Which box is chosen, its score and its corners. */
function chosenBox(ui, into) {
  const at = () => Math.min(ui.get("chosen"), ui.get("boxes").length - 1);
  const shared = { names: ["chosen", "boxes", "scores"], into };
  const choose = { read: () => String(at()), write: (value) => ui.set("chosen", Number(value)) };
  const list = ui.choice({ label: "chosen box", options: [], ...choose, ...shared });
  const select = list.element.querySelector("select");
  const options = () => {
    const made = ui.get("boxes").map((_, index) => html("option", { value: index }, letter(index)));
    if (made.length !== select.options.length) select.replaceChildren(...made);
    list.refresh();
  };
  const read = () => ui.get("scores")[at()] ?? 0;
  const score = { read, write: (value) => replace(ui, "scores", at(), value) };
  ui.knob({ label: "its score", min: 0, max: 1, step: 0.01, text: twoDigits, ...score, ...shared });
  const place = { read: () => ui.get("boxes")[at()] ?? [], write: (box) => replace(ui, "boxes", at(), box) };
  corners(ui, { label: "its place", size: () => PICTURE, ...place, ...shared });
  ui.onChange(["boxes"], options);
  options();
}

function replace(ui, name, index, value) {
  ui.set(name, ui.get(name).map((was, at) => (at === index ? value : was)));
}

/** All that is shown, from the state: the steps, how many of them are shown, and what became of each box. */
function stateOf(ui) {
  const [boxes, scores, objects] = ["boxes", "scores", "objects"].map(ui.get);
  const [iouThreshold, scoreThreshold] = [ui.get("iou_threshold"), ui.get("score_threshold")];
  const fits = boxes.length === scores.length;
  const steps = fits ? nmsSteps(boxes, scores, iouThreshold, scoreThreshold) : [];
  const step = Math.min(ui.get("step"), steps.length);
  const fates = boxes.map((_, index) => (scores[index] < scoreThreshold ? { is: "low" } : { is: "left" }));
  steps.slice(0, step).forEach(({ kept, rivals, iou, suppressed }, at) => {
    fates[kept] = { is: "kept", step: at + 1 };
    for (const index of suppressed) {
      fates[index] = { is: "suppressed", by: kept, iou: iou[rivals.indexOf(index)] };
    }
  });
  const order = boxes.map((_, index) => index).sort((a, b) => scores[b] - scores[a] || a - b);
  return { boxes, scores, objects, steps, step, fates, order, fits, now: steps[step - 1] };
}

function pictureOf(ui, { boxes, scores, objects, fates, now, fits }) {
  const shown = boxes.map((box, index) => {
    const fate = fates[index];
    const look = { kept: "thick", left: "solid" }[fate.is] ?? "dotted";
    const score = fits ? twoDigits(scores[index]) : "";
    const tag = fate.is === "suppressed" ? `by ${letter(fate.by)}` : score;
    const spoken = `box ${letter(index)}, score ${score}, ${fateOf(fate)}`;
    const kind = index === now?.kept ? "window" : "prediction";
    return { box, kind, look, tag: `${letter(index)} ${tag}`, spoken };
  });
  const under = (scale) => objects.map((box) => ellipse(box, scale));
  return { size: PICTURE, boxes: shown, selected: Math.min(ui.get("chosen"), boxes.length - 1), under };
}

function ellipse([x1, y1, x2, y2], scale) {
  const [cx, cy, rx, ry] = [x1 + x2, y1 + y2, x2 - x1, y2 - y1].map((length) => (length / 2) * scale);
  return svg("ellipse", { cx, cy, rx, ry, class: "cx-object" });
}

function fateOf({ is, step, by, iou }) {
  if (is === "kept") return `kept in step ${step}`;
  if (is === "suppressed") return `suppressed by ${letter(by)}, IoU ${twoDigits(iou)}`;
  return is === "low" ? "score too low" : "undecided";
}

function headOf({ now }) {
  return ["box", "score", now ? `IoU with ${letter(now.kept)}` : "IoU", "result"];
}

function rowsOf({ scores, fates, order, now, fits }) {
  if (!fits) return [];
  return order.map((index) => {
    const at = now ? now.rivals.indexOf(index) : -1;
    const iou = at < 0 ? "–" : now.iou[at].toFixed(3);
    const row = [letter(index), twoDigits(scores[index]), iou, fateOf(fates[index])];
    return { row, marked: index === now?.kept };
  });
}

function sentence({ boxes, scores, objects, steps, step, fates, now, fits }) {
  if (!fits) return `${boxes.length} boxes need as many scores; there are ${scores.length}.`;
  const left = fates.filter(({ is }) => is === "left").length;
  if (!now) return `No step yet: ${left} of ${boxes.length} boxes take part.`;
  const gone = now.suppressed.length ? `suppresses ${letters(now.suppressed)}` : "suppresses none";
  const kept = `Step ${step} of ${steps.length}: ${letter(now.kept)} is kept and ${gone}.`;
  if (step < steps.length) return `${kept} Undecided: ${left}.`;
  const [found, wanted] = [counted(steps, "box", "es"), counted(objects, "object", "s")];
  return `${kept} The end: ${found} for ${wanted}: ${letters(steps.map((each) => each.kept))}.`;
}

export default { render };
