// State machines: executions by status; one execution as a graph with its history beside it.

import { verb } from "/_trunkline/console/api.js";
import { Graph } from "/_trunkline/console/graph.js";
import {
  Form, Listing, Problem, Sure, Table, Text, count, html, link, owned, time, useLoaded, useState,
} from "/_trunkline/console/parts.js";

const STATUS = { SUCCEEDED: "good", FAILED: "bad", TIMED_OUT: "bad", ABORTED: "bad" };
const shown = (status) => html`<span class=${STATUS[status] ?? "busy"}>${status}</span>`;

export function Machines() {
  const columns = [
    { title: "Name", of: (row) => html`<a
      href=${link("machines", ...owned(row))}>${row.name}</a>` },
    { title: "Account", of: (row) => row.account },
    { title: "Region", of: (row) => row.region },
    { title: "Type", of: (row) => row.type },
    { title: "Executions", of: (row) => Object.entries(row.executions)
      .map(([status, n]) => html`<div>${shown(status)} ${count(n)}</div>`) },
  ];
  return html`<h2>State machines</h2>
    <${Listing} load=${(page) => verb("machines", page)} columns=${columns}
      none="There is no state machine." />`;
}

export function Machine({ parts: [account, region, machine] }) {
  const of = { machine, account, region };
  const [status, setStatus] = useState("");
  const { data, error, again } = useLoaded(
    () => verb("executions", { ...of, status }), [machine, status], 2,
  );
  const columns = [
    { title: "Execution", of: (one) => html`<a
      href=${link("executions", account, region, machine, one.name)}>${one.name}</a>` },
    { title: "Status", of: (one) => shown(one.status) },
    { title: "Started", of: (one) => time(one.started_at) },
    { title: "Stopped", of: (one) => time(one.stopped_at) },
    { title: "Redrives", number: true, of: (one) => count(one.redrives) },
  ];
  const start = async (given) => {
    const { name } = await verb("start", { ...of, ...given });
    again();
    return `Started as ${name}.`;
  };
  return html`<h2>${machine}</h2>
    <${Problem} error=${error} />
    <div class="bar"><label>Status <select onChange=${(event) => setStatus(event.target.value)}>
      <option value="">all</option>
      ${["RUNNING", ...Object.keys(STATUS)].map((one) => html`<option>${one}</option>`)}
    </select></label>
    <span class="note">${data && `${data.items.length} of ${count(data.total)}`}</span></div>
    <${Table} columns=${columns} rows=${data?.items ?? []} none="There is no execution." />
    <h3>Start</h3>
    <${Form} action="Start" send=${start} fields=${[
      { name: "input", title: "Input", kind: "json", value: "{}" },
      { name: "name", title: "Name", hint: "one is made" },
    ]} />`;
}

export function Execution({ parts: [account, region, machine, name] }) {
  const of = { machine, account, region, name };
  const { data, error, again } = useLoaded(() => verb("execution", of), [name], 2);
  const columns = [
    { title: "Id", number: true, of: (one) => one.id },
    { title: "Time", of: (one) => time(seconds(one.timestamp)) },
    { title: "Event", of: (one) => one.type },
    { title: "Details", of: (one) => html`<${Text} value=${details(one)} />` },
  ];
  if (!data) return html`<h2>${name}</h2><${Problem} error=${error} />`;
  const all = link("machines", account, region, machine);
  return html`<h2><a href=${all}>${machine}</a> / ${name}</h2>
    <${Problem} error=${error} />
    <div class="bar">${shown(data.status)}<span class="note">${time(data.started_at)}
      ${data.stopped_at && ` to ${time(data.stopped_at)}`}</span>
      ${data.status === "RUNNING" && html`<span class="end"><${Sure} title="Stop"
        question=${`Stop ${name}?`} act=${() => verb("stop", of)} done=${again} /></span>`}</div>
    ${data.error && html`<div class="error"><b>${data.error}</b> ${data.cause}</div>`}
    <div class="columns">
      <div><${Graph} definition=${data.definition} history=${data.history} /></div>
      <div><h3>Input</h3><pre class="box"><${Text} value=${data.input} /></pre>
        <h3>Output</h3><pre class="box"><${Text} value=${data.output} /></pre></div>
    </div>
    <h3>History</h3>
    <${Table} columns=${columns} rows=${data.history} />`;
}

const seconds = (moment) => (typeof moment === "string" ? Date.parse(moment) / 1000 : moment);

function details(event) {
  const { id, type, timestamp, previousEventId, ...rest } = event;
  const [only] = Object.values(rest);
  return only ?? "";
}
