// The frame of the console: navigation, the page of the address, the token if one is asked for.

import { Refused, token, verb } from "/_trunkline/console/api.js";
import { count, html, link, useEffect, useLoaded, useState } from "/_trunkline/console/parts.js";
import { Bucket, Buckets } from "/_trunkline/console/pages/buckets.js";
import { Bus, Buses } from "/_trunkline/console/pages/buses.js";
import { Functions } from "/_trunkline/console/pages/functions.js";
import { Execution, Machine, Machines } from "/_trunkline/console/pages/machines.js";
import { Overview } from "/_trunkline/console/pages/overview.js";
import { Queue, Queues } from "/_trunkline/console/pages/queues.js";
import { Requests } from "/_trunkline/console/pages/requests.js";
import { Stream, Streams } from "/_trunkline/console/pages/streams.js";
import { Tools } from "/_trunkline/console/pages/tools.js";
import { Topic, Topics } from "/_trunkline/console/pages/topics.js";
import { Trace } from "/_trunkline/console/pages/trace.js";
import { render } from "/_trunkline/console/vendor/htm-preact.js";

// The page of `#/KIND`, and that of `#/KIND/part/part`.
const PAGES = {
  queues: [Queues, Queue],
  topics: [Topics, Topic],
  buses: [Buses, Bus],
  streams: [Streams, Stream],
  machines: [Machines, Machine],
  executions: [Machines, Execution],
  functions: [Functions, Functions],
  buckets: [Buckets, Bucket],
  requests: [Requests, Requests],
  trace: [Trace, Trace],
  tools: [Tools, Tools],
};
const KINDS = ["queues", "topics", "buses", "streams", "machines", "functions", "buckets"];

const address = () => location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);

function useAddress() {
  const [parts, setParts] = useState(address());
  useEffect(() => {
    const moved = () => { setParts(address()); scrollTo(0, 0); };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return parts;
}

function Token({ again }) {
  const send = (event) => {
    event.preventDefault();
    token.set(event.currentTarget.elements.token.value);
    again();
  };
  return html`<h2>This server asks for a token</h2>
    <p class="note">It is what <code>--admin-token</code> or
      <code>TRUNKLINE_ADMIN_TOKEN</code> says. The tab keeps it until it is closed.</p>
    <form class="bar" onSubmit=${send}>
      <label for="token">Token</label>
      <input id="token" name="token" type="password" autocomplete="off" required />
      <button class="main" type="submit">Use it</button>
    </form>`;
}

function App() {
  const [kind, ...rest] = useAddress();
  const { data: stats, error, again } = useLoaded(() => verb("stats"), [], 2);
  const isStranger = error instanceof Refused && [401, 403].includes(error.status);
  const [List, One] = PAGES[kind] ?? [Overview, Overview];
  const Page = rest.length > 0 ? One : List;
  const title = kind ? `${rest.at(-1) ?? kind} - Trunkline` : "Trunkline";
  useEffect(() => { document.title = title; }, [title]);
  const entry = (name, label, number) => html`
    <a href=${link(name)} class=${name === kind ? "here" : ""}
      aria-current=${name === kind ? "page" : undefined}>${label}
      <span class="count">${number === undefined ? "" : count(number)}</span></a>`;
  return html`<div class="layout">
    <nav aria-label="Kinds of resources">
      <h1><a href="#/">Trunkline</a></h1>
      ${KINDS.map((name) => entry(name, name, stats?.resources[name]))}
      ${entry("requests", "requests")}
      ${entry("trace", "trace")}
      ${entry("tools", "clock and faults")}
      <div class="foot">${stats && `${stats.version} · ${stats.durability}`}
        ${error && !isStranger && html`<div class="bad" role="alert">No answer</div>`}</div>
    </nav>
    <main>${isStranger
      ? html`<${Token} again=${again} />`
      : html`<${Page} key=${location.hash} parts=${rest} stats=${stats} />`}</main>
  </div>`;
}

render(html`<${App} />`, document.body);
