// The graph of a state machine: states in layers from the start, coloured by what an execution did.

import { html } from "/_trunkline/console/parts.js";

const WIDTH = 150;
const HEIGHT = 34;
const GAP = 26;
const STEP = HEIGHT + 2 * GAP;

/** The states that a state can lead to. */
function next(state) {
  const found = [];
  for (const one of state.Choices ?? []) if (one.Next) found.push(one.Next);
  if (state.Default) found.push(state.Default);
  if (state.Next) found.push(state.Next);
  for (const one of state.Catch ?? []) if (one.Next) found.push(one.Next);
  return [...new Set(found)];
}

/** How far each state is from the start; a way back is no longer way. */
export function layers({ StartAt, States }) {
  const layer = new Map();
  const walk = (name, at, above) => {
    if (!(name in States) || above.has(name) || (layer.get(name) ?? -1) >= at) return;
    layer.set(name, at);
    for (const one of next(States[name])) walk(one, at + 1, new Set([...above, name]));
  };
  // A deep or dense machine would be walked along every way: breadth first there.
  if (Object.keys(States).length <= 40) walk(StartAt, 0, new Set());
  else {
    const queue = [[StartAt, 0]];
    for (const [name, at] of queue) {
      if (!(name in States) || layer.has(name)) continue;
      layer.set(name, at);
      for (const one of next(States[name])) queue.push([one, at + 1]);
    }
  }
  return layer;
}

/** The status of each state, by the names that the history enters and leaves. */
export function statuses(history) {
  const found = {};
  for (const event of history) {
    const entered = event.stateEnteredEventDetails?.name;
    const left = event.stateExitedEventDetails?.name;
    if (entered) found[entered] = "RUNNING";
    if (left) found[left] = "SUCCEEDED";
  }
  const end = history.at(-1)?.type ?? "";
  if (/Failed|TimedOut|Aborted/.test(end)) {
    for (const name of Object.keys(found)) if (found[name] === "RUNNING") found[name] = "FAILED";
  }
  return found;
}

/** Where each state of one machine stands, and how large all of it is. */
function place(machine) {
  const rows = [];
  for (const [name, at] of layers(machine)) (rows[at] ??= []).push(name);
  const spots = new Map();
  const most = Math.max(1, ...rows.map((row) => row.length));
  const width = most * (WIDTH + GAP);
  rows.forEach((row, layer) => row.forEach((name, column) => spots.set(name, {
    layer, x: (width * (column + 0.5)) / row.length, y: layer * STEP + GAP,
  })));
  return { spots, width: width + 2 * GAP, height: (rows.length - 1) * STEP + 2 * GAP };
}

function edge(from, to) {
  if (to.layer === from.layer + 1) {
    const [top, end] = [from.y + HEIGHT / 2, to.y - HEIGHT / 2];
    const middle = (top + end) / 2;
    return `M${from.x} ${top}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${end}`;
  }
  // A way back, and one over several layers, goes round the side.
  const side = Math.max(from.x, to.x) + WIDTH / 2 + 2 * GAP;
  const [start, goal] = [from.x + WIDTH / 2, to.x + WIDTH / 2];
  return `M${start} ${from.y}C${side} ${from.y} ${side} ${to.y} ${goal} ${to.y}`;
}

const short = (name) => (name.length > 20 ? `${name.slice(0, 19)}…` : name);

function One({ machine, status, title }) {
  const { spots, width, height } = place(machine);
  const edges = [...spots].flatMap(([name, from]) => next(machine.States[name])
    .filter((one) => spots.has(one)).map((one) => edge(from, spots.get(one))));
  const inner = [...spots.keys()].flatMap((name) => inside(name, machine.States[name]));
  return html`<div class="graph">
      ${title && html`<div class="note">${title}</div>`}
      <svg width=${width} height=${height} role="img" aria-label=${title ?? "States"}>
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7"
          markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" /></marker></defs>
        ${edges.map((d) => html`<path d=${d} marker-end="url(#arrow)" />`)}
        ${[...spots].map(([name, { x, y }]) => html`<g class=${status[name] ?? ""}>
          <title>${[`${name}: ${machine.States[name].Type}`, status[name]].join(" ")}</title>
          <rect x=${x - WIDTH / 2} y=${y - HEIGHT / 2} width=${WIDTH} height=${HEIGHT} rx="5" />
          <text x=${x} y=${y + 4}>${short(name)}</text></g>`)}
      </svg>
    </div>
    ${inner.map((one) => html`<${One} ...${one} status=${status} />`)}`;
}

/** The machines inside a Parallel or a Map state. */
function inside(name, state) {
  const branches = state.Branches ?? [];
  const processor = state.ItemProcessor ?? state.Iterator;
  const found = branches.map((machine, at) => ({ machine, title: `${name}, branch ${at + 1}` }));
  if (processor) found.push({ machine: processor, title: `${name}, each item` });
  return found.filter(({ machine }) => machine.States);
}

export function Graph({ definition, history }) {
  return html`<${One} machine=${definition} status=${statuses(history)} />`;
}
