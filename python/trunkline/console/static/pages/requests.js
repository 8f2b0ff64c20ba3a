// The latest requests, as they come; their bodies are not kept.

import { path } from "/_trunkline/console/api.js";
import {
  Problem, Table, count, html, time, useLoaded, useRef, useState,
} from "/_trunkline/console/parts.js";

const SHOWN = 200;
const KEPT = 1000;
const PAUSE_S = 1;

export function Requests() {
  const kept = useRef({ last: 0, list: [], missed: 0 });
  const [wanted, setWanted] = useState("");
  const [isErrors, setErrors] = useState(false);
  const [isPaused, setPaused] = useState(false);
  const { error } = useLoaded(async () => {
    if (isPaused) return null;
    const { requests, last, left_out } = await path(`requests?after=${kept.current.last}`);
    const isAgain = last < kept.current.last;
    const missed = kept.current.last && !isAgain ? left_out : 0;
    const list = [...(isAgain ? [] : kept.current.list), ...requests].slice(-KEPT);
    kept.current = { last, list, missed: kept.current.missed + missed };
    return last;
  }, [isPaused], PAUSE_S);
  const asked = (one) => (one.service
    ? `${one.service}.${one.operation}` : `${one.method} ${one.path}`);
  const found = kept.current.list.filter((one) => (!isErrors || one.status >= 400)
    && [asked(one), one.resource, one.error, one.request_id, String(one.status)]
      .some((text) => text?.toLowerCase().includes(wanted.toLowerCase())));
  const columns = [
    { title: "Time", of: (one) => html`<span title=${time(one.time)}>
      ${time(one.time).slice(-12)}</span>` },
    { title: "Request", of: asked },
    ...(found.some((one) => one.resource)
      ? [{ title: "Resource", of: (one) => one.resource ?? "" }] : []),
    { title: "Status", number: true,
      of: (one) => html`<span class=${one.status >= 400 ? "bad" : ""}>${one.status}</span>` },
    { title: "ms", number: true, of: (one) => (one.seconds * 1000).toFixed(1) },
    { title: "Error", of: (one) => one.error ?? "" },
    { title: "Request id", of: (one) => html`<span class="mono" title=${one.request_id}>
      ${one.request_id?.slice(0, 8)}</span>` },
  ];
  return html`<h2>Requests</h2>
    <${Problem} error=${error} />
    <div class="bar">
      <input type="search" placeholder="Contains" aria-label="Contains" value=${wanted}
        onInput=${(event) => setWanted(event.target.value)} />
      <label><input type="checkbox" name="errors" checked=${isErrors}
        onChange=${(event) => setErrors(event.target.checked)} /> only errors</label>
      <label><input type="checkbox" name="paused" checked=${isPaused}
        onChange=${(event) => setPaused(event.target.checked)} /> pause</label>
      <span class="note">${`${Math.min(found.length, SHOWN)} of ${count(found.length)} shown`}
        ${", newest first; bodies are not kept"}
        ${kept.current.missed > 0 && `; ${count(kept.current.missed)} came too fast`}</span>
    </div>
    <${Table} columns=${columns} rows=${found.slice(-SHOWN).reverse()}
      none="No request came yet." />`;
}
