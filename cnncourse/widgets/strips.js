// Layers drawn as rows of units over the pixels that they see, and what one unit sees of the rows below.

const NAMES = 62; // pixels at the left, for the names of the layers
const STRIP = 24; // height of a row: what a finger can hit

/** Where things are drawn: level and unit to pixels of the page, and back. */
function layout(sizes, fields, width) {
  const drawn = sizes.findLastIndex((size) => size > 0);
  const all = [{ size: 1, jump: 1, start: 0 }, ...fields].slice(0, drawn + 1);
  const edge = ({ size, start, jump }, units, side) => start + (side > 0 ? (units - 1) * jump : 0) + (side * size) / 2;
  const low = Math.min(...all.map((field) => edge(field, 1, -1)), -0.5);
  const high = Math.max(...all.map((field, level) => edge(field, sizes[level], 1)));
  const scale = (width - NAMES - 6) / (high - low);
  const step = STRIP + (drawn > 7 ? 10 : 18);
  return {
    drawn,
    scale,
    height: (drawn + 1) * step,
    top: (level) => (drawn - level) * step + 4,
    left: (level, unit) => NAMES + (all[level].start + (unit - 0.5) * all[level].jump - low) * scale,
    wide: (level) => all[level].jump * scale,
    levelAt: (y) => Math.max(0, Math.min(drawn, drawn - Math.floor((y - 4 + (step - STRIP) / 2) / step))),
    unitAt: (level, x) => {
      const pixel = (x - NAMES) / scale + low;
      const unit = Math.round((pixel - all[level].start) / all[level].jump);
      return Math.max(0, Math.min(sizes[level] - 1, unit));
    },
  };
}

/** One path around cells of a row, neighbours joined. */
function cells(plan, level, units) {
  let path = "";
  for (let from = 0; from < units.length; ) {
    let to = from;
    while (units[to + 1] === units[to] + 1) to += 1;
    const length = (to - from + 1) * plan.wide(level);
    path += `M${plan.left(level, units[from])},${plan.top(level)}h${length}v${STRIP}h${-length}z`;
    from = to + 1;
  }
  return path;
}

/** A row of units: its frame, ticks between them, what the chosen unit sees, and its name. */
function strip({ plan, sizes, names, hatch }, level, at, seen) {
  const [left, top] = [plan.left(level, 0), plan.top(level)];
  const width = sizes[level] * plan.wide(level);
  const place = { x: left, y: top, width, height: STRIP };
  const shapes = [svg("rect", { ...place, class: `cx-units cx-${level ? "output" : "input"}` })];
  if (plan.wide(level) >= 4) {
    const ticks = Array.from({ length: sizes[level] - 1 }, (_, i) => `M${plan.left(level, i + 1)},${top}v${STRIP}`);
    shapes.push(svg("path", { class: "cx-ticks", d: ticks.join("") }));
  }
  if (seen) shapes.push(...marks({ plan, sizes, hatch }, level, seen, at[0] === level));
  shapes.push(svg("rect", { x: left - 3, y: top - 3, width: width + 6, height: STRIP + 6, class: "cx-focus" }));
  const now = level === at[0] ? at[1] : seen ? Math.max(0, Math.min(seen.range[0], sizes[level] - 1)) : 0;
  const says = seen && level !== at[0] ? `, seen from ${number(seen.range[0])} to ${number(seen.range[1])}` : "";
  const attributes = { role: "slider", class: "cx-strip", tabindex: level === at[0] ? 0 : -1, "data-level": level };
  return svg(
    "g",
    {
      ...attributes,
      "aria-label": `${names[level]}; left and right: another unit, up and down: another layer`,
      "aria-valuemin": 0,
      "aria-valuemax": sizes[level] - 1,
      "aria-valuenow": now,
      "aria-valuetext": `unit ${now} of ${sizes[level]}${says}`,
    },
    svg("text", { x: 0, y: top + STRIP / 2, "aria-hidden": "true" }, names[level]),
    ...shapes,
  );
}

function marks({ plan, sizes, hatch }, level, { units, range }, chosen) {
  const outside = units.filter((unit) => unit < 0 || unit >= sizes[level]);
  const inside = units.filter((unit) => unit >= 0 && unit < sizes[level]);
  const left = plan.left(level, range[0]);
  const width = Math.max(2, plan.left(level, range[1] + 1) - left);
  const place = { x: left, y: plan.top(level) - 2, width, height: STRIP + 4 };
  if (chosen) return [svg("rect", { ...place, class: "cx-here" })];
  return [
    svg("path", { class: "cx-reached", d: cells(plan, level, inside) }),
    svg("path", { class: "cx-outside", fill: `url(#${hatch})`, d: cells(plan, level, outside) }),
    svg("rect", { ...place, class: "cx-window" }),
    svg("rect", { ...place, class: "cx-window-line" }),
  ];
}

/** The cone from a unit down to its receptive field. */
function cone(plan, at, ranges) {
  const corners = ranges.map(([first, last], depth) => {
    const level = at[0] - depth;
    const [left, right] = [plan.left(level, first), plan.left(level, last + 1)];
    return { left, right, top: plan.top(level), bottom: plan.top(level) + STRIP };
  });
  const down = corners.flatMap(({ right, top, bottom }) => [`${right},${top}`, `${right},${bottom}`]);
  const up = corners.reverse().flatMap(({ left, top, bottom }) => [`${left},${bottom}`, `${left},${top}`]);
  return svg("polygon", { class: "cx-cone", points: [...down, ...up].join(" "), "aria-hidden": "true" });
}
