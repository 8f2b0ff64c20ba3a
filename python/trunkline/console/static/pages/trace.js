// What happened to one message, event or record.

import { path, verb } from "/_trunkline/console/api.js";
import {
  Form, Problem, Table, html, link, time, useLoaded,
} from "/_trunkline/console/parts.js";

export function Trace({ parts: [id] }) {
  const { data: how, again } = useLoaded(() => path("trace"), []);
  const { data, error } = useLoaded(
    () => (id ? verb("trace", { id }) : Promise.resolve(null)), [id], 2,
  );
  const columns = [
    { title: "Time", of: (one) => time(one.at) },
    { title: "Id", of: (one) => html`<a class="mono" href=${link("trace", one.id)}>${one.id}</a>` },
    { title: "What", of: (one) => one.what },
    { title: "Where", of: (one) => `${one.kind} ${one.name}` },
    { title: "Detail", of: (one) => one.detail ?? "" },
  ];
  const show = async ({ id: wanted }) => { location.hash = link("trace", wanted); return ""; };
  const change = async ({ rate }) => {
    await path("trace", "POST", { rate });
    again();
    return "Changed.";
  };
  return html`<h2>Trace</h2>
    <${Form} action="Show" send=${show} fields=${[
      { name: "id", title: "Id", required: true, value: id, hint: "of a message, event or record" },
    ]} />
    <${Problem} error=${error} />
    ${id && html`<h3 class="mono">${id}</h3>
      <${Table} columns=${columns} rows=${data?.entries ?? []}
        none="Nothing was noted of this id: it came in while the trace was off, or is too old." />`}
    <h3>What is noted</h3>
    <p class="note">${how && `A part of ${how.rate} of what comes in; ${how.entries} entries.`}</p>
    <${Form} action="Note" send=${change} fields=${[
      { name: "rate", title: "Part", kind: "number", hint: "0 is off, 1 is all", required: true },
    ]} />`;
}
