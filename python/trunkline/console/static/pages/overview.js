// The engine as a whole: how much is there, how much comes in.

import { path } from "/_trunkline/console/api.js";
import {
  Chart, Problem, count, html, link, time, useHistory, useLoaded, useRef,
} from "/_trunkline/console/parts.js";

const SERIES = [{ title: "requests/s", color: "#3b82f6" }];
const DEPTHS = [
  { title: "visible", color: "#22a06b" },
  { title: "in flight", color: "#d97706" },
  { title: "delayed", color: "#8b5cf6" },
];

/** How much a growing sum grew in a second, since it was last seen. */
function useRate(sum) {
  const last = useRef(null);
  const now = Date.now() / 1000;
  const before = last.current;
  if (sum !== null && (before === null || now - before.at > 0.5)) {
    const rate = before && sum >= before.sum ? (sum - before.sum) / (now - before.at) : 0;
    last.current = { at: now, sum, rate };
  }
  return last.current?.rate ?? 0;
}

export function Overview({ stats }) {
  // The number of the latest request, and not /metrics, which has lines for every queue.
  const last = useRef(0);
  const { data, error } = useLoaded(async () => {
    last.current = (await path(`requests?after=${last.current}`)).last;
    return { requests: last.current };
  }, [], 2);
  const requests = data?.requests ?? null;
  const rate = useRate(requests);
  const rates = useHistory(data && [rate]);
  const messages = stats?.messages;
  const depths = useHistory(messages && [messages.visible, messages.in_flight, messages.delayed]);
  if (!stats) return html`<p class="note">Loading…</p>`;
  const tile = (title, value, to) => html`<div class="tile">
    <b>${value}</b><span>${to ? html`<a href=${to}>${title}</a>` : title}</span></div>`;
  const journal = Object.entries(stats.journal ?? {});
  return html`<h2>Overview</h2>
    <${Problem} error=${error} />
    <div class="tiles">
      ${Object.entries(stats.resources).map(([kind, n]) => tile(kind, count(n), link(kind)))}
      ${tile("messages visible", count(messages.visible))}
      ${tile("messages in flight", count(messages.in_flight))}
      ${tile("oldest message, s", (messages.oldest_age ?? 0).toFixed(1))}
    </div>
    <h3>Over time, while this page is open</h3>
    <div class="columns">
      <${Chart} title="Requests" series=${SERIES} data=${rates} />
      <${Chart} title="Messages in queues" series=${DEPTHS} data=${depths} />
    </div>
    <h3>Engine</h3>
    <table><tbody>
      <tr><th scope="row">Clock</th><td>${time(stats.now / (stats.now > 1e11 ? 1000 : 1))}
        ${stats.virtual_clock ? " (virtual)" : ""}</td></tr>
      ${journal.map(([name, value]) => html`<tr><th scope="row">journal: ${name}</th>
        <td>${typeof value === "number" ? count(value) : String(value)}</td></tr>`)}
    </tbody></table>`;
}
