// What the pages are made of: data that loads, tables, forms, text as JSON, charts.

import {
  html, useCallback, useEffect, useRef, useState,
} from "/_trunkline/console/vendor/htm-preact.js";

export { html, useCallback, useEffect, useRef, useState };

const SHORT = 60;

/** Loads once, again when `inputs` change, and every `seconds` while the page is seen. */
export function useLoaded(load, inputs = [], seconds = 0) {
  const [state, setState] = useState({ data: null, error: null });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  useEffect(() => {
    let isOver = false;
    let timer = null;
    const run = async () => {
      try {
        const data = await load();
        if (!isOver) setState({ data, error: null });
      } catch (error) {
        if (!isOver) setState((old) => ({ data: old.data, error }));
      }
      if (!isOver && seconds) timer = setTimeout(wait, seconds * 1000);
    };
    // A page in the background asks for nothing.
    const wait = () => (document.hidden ? (timer = setTimeout(wait, 1000)) : run());
    run();
    return () => { isOver = true; clearTimeout(timer); };
  }, [...inputs, turn]);
  return { ...state, again };
}

export function Problem({ error }) {
  if (!error) return null;
  return html`<div class="error" role="alert"><b>${error.name}</b> ${error.message}</div>`;
}

/** A table. A column is `{title, of: row => content, number}`. */
export function Table({ columns, rows, none = "Nothing is here." }) {
  const cells = (row) => columns.map((column) => html`
    <td class=${column.number ? "number" : ""}>${column.of(row)}</td>`);
  return html`<table>
    <thead><tr>${columns.map((column) => html`
      <th class=${column.number ? "number" : ""} scope="col">${column.title}</th>`)}</tr></thead>
    <tbody>${rows.length === 0
      ? html`<tr><td class="empty" colspan=${columns.length}>${none}</td></tr>`
      : rows.map((row) => html`<tr>${cells(row)}</tr>`)}</tbody></table>`;
}

/** The pages of a verb that lists a kind, with a field for the beginning of the name. */
export function Listing({ load, columns, none }) {
  const [prefix, setPrefix] = useState("");
  const [path, setPath] = useState([]);
  const after = path.at(-1);
  const { data, error } = useLoaded(() => load({ prefix, after }), [prefix, after], 2);
  const find = (event) => { setPrefix(event.target.value); setPath([]); };
  const shown = data?.items ?? [];
  return html`
    <div class="bar">
      <input type="search" placeholder="Name begins with" aria-label="Name begins with"
        value=${prefix} onInput=${find} />
      <span class="note">${data ? `${shown.length} of ${count(data.total)}` : ""}</span>
      <span class="end">
        <button disabled=${path.length === 0}
          onClick=${() => setPath(path.slice(0, -1))}>Back</button>${" "}
        <button disabled=${!data?.next}
          onClick=${() => setPath([...path, data.next])}>More</button>
      </span>
    </div>
    <${Problem} error=${error} />
    <${Table} columns=${columns} rows=${shown} none=${data ? none : "Loading…"} />`;
}

/**
 * A form. A field is `{name, title, kind: "text" | "area" | "json" | "number" | "check"}`; `others`
 * are further buttons, `{title, send}`. What `send` returns is told.
 */
export function Form({ fields, action, send, others = [] }) {
  const [told, setTold] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const other = others.find(({ title }) => title === event.submitter?.value);
    try {
      const given = Object.fromEntries(fields.map((field) => [field.name, read(form, field)]));
      setTold({ text: await (other?.send ?? send)(given) });
    } catch (error) {
      setTold({ error });
    }
  };
  const input = (field) => {
    const id = `field-${action}-${field.name}`;
    const shown = { id, name: field.name, required: field.required };
    return html`<label for=${id}>${field.title}</label>
      ${field.kind === "area" || field.kind === "json"
        ? html`<textarea ...${shown} placeholder=${field.hint} defaultValue=${field.value ?? ""} />`
        : field.kind === "check"
          ? html`<input ...${shown} type="checkbox" />`
          : html`<input ...${shown} type="text" placeholder=${field.hint}
              defaultValue=${field.value ?? ""} />`}`;
  };
  return html`<form class="fields" onSubmit=${submit}>
    ${fields.map(input)}
    <div class="wide bar">
      <button class="main" type="submit">${action}</button>
      ${others.map(({ title }) => html`<button type="submit" value=${title}>${title}</button>`)}
      ${told.text && html`<span class="good" role="status">${told.text}</span>`}
    </div>
    ${told.error && html`<div class="wide"><${Problem} error=${told.error} /></div>`}
  </form>`;
}

function read(form, field) {
  const input = form.elements[field.name];
  if (field.kind === "check") return input.checked || undefined;
  const text = input.value;
  if (text === "") return undefined;
  if (field.kind === "number") return Number(text);
  if (field.kind !== "json") return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${field.title} is not JSON: ${error.message}`);
  }
}

/** A button that asks before it acts. */
export function Sure({ title, question, act, done }) {
  const [error, setError] = useState(null);
  const click = async () => {
    if (!confirm(question)) return;
    try { setError(null); await act(); done?.(); } catch (refused) { setError(refused); }
  };
  return html`<button class="danger" onClick=${click}>${title}</button>
    ${error && html`<${Problem} error=${error} />`}`;
}

/** The members of an object that hold something. */
export const filled = (object) => Object.fromEntries(Object.entries(object)
  .filter(([, value]) => value !== null && value !== false && JSON.stringify(value) !== "{}"));

/** Text; as JSON with indents where it is JSON and not short. */
export function Text({ value }) {
  let shown = value ?? "";
  if (typeof shown === "string") {
    try { shown = JSON.parse(shown); } catch { /* It is plain text. */ }
  }
  if (typeof shown !== "string") {
    const short = JSON.stringify(shown);
    shown = short.length <= SHORT ? short : JSON.stringify(shown, null, 2);
  }
  return html`<pre>${shown}</pre>`;
}

/** Lines over time: `series` is `[{title, color}]`, `data` is `[times, values, values, ...]`. */
export function Chart({ title, series, data }) {
  const place = useRef(null);
  const plot = useRef(null);
  useEffect(() => {
    const ink = getComputedStyle(document.documentElement).getPropertyValue("color") || "#888";
    const axis = { stroke: ink, grid: { stroke: "#8884", width: 1 } };
    const lines = series.map((one) => ({ label: one.title, stroke: one.color, width: 1.5 }));
    plot.current = new uPlot({
      title, width: place.current.clientWidth - 16, height: 200,
      series: [{}, ...lines], axes: [axis, { ...axis, size: 60 }],
    }, data, place.current);
    const fit = () => plot.current.setSize({ width: place.current.clientWidth - 16, height: 200 });
    addEventListener("resize", fit);
    return () => { removeEventListener("resize", fit); plot.current.destroy(); };
  }, []);
  useEffect(() => plot.current?.setData(data), [data]);
  return html`<div class="chart" ref=${place} role="img" aria-label=${title} />`;
}

/** Remembers what `sample` gives, newest last: `[times, values, ...]` for a chart. */
export function useHistory(values, most = 600) {
  const kept = useRef(null);
  if (values) {
    kept.current ??= [[], ...values.map(() => [])];
    const now = Date.now() / 1000;
    if (now - (kept.current[0].at(-1) ?? 0) > 0.5) {
      const grown = [[...kept.current[0], now]];
      values.forEach((value, at) => grown.push([...kept.current[at + 1], value]));
      kept.current = grown.map((list) => list.slice(-most));
    }
  }
  return kept.current ?? [[]];
}

export const count = (n) => (n ?? 0).toLocaleString("en");
export const time = (seconds) =>
  seconds == null ? "" : new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 23);
export const link = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;
/** A resource's own part of an address: account, region and name. */
export const owned = (row) => [row.account, row.region, row.name];
