// Event buses: rules and their counters, putting an event, why an event does not match.

import { verb } from "/_trunkline/console/api.js";
import {
  Form, Listing, Problem, Sure, Table, Text, count, filled, html, link, owned, useLoaded, useState,
} from "/_trunkline/console/parts.js";

const STATES = ["put", "matched", "delivered", "dead_lettered", "failed"];
const EXAMPLE = JSON.stringify(
  { source: "shop", "detail-type": "OrderPlaced", detail: { total: 12 } }, null, 2,
);

export function Buses() {
  const columns = [
    { title: "Name", of: (row) => html`<a href=${link("buses", ...owned(row))}>${row.name}</a>` },
    { title: "Account", of: (row) => row.account },
    { title: "Region", of: (row) => row.region },
    ...STATES.map((state) => ({
      title: state.replace("_", " "), number: true, of: (row) => count(row[state]),
    })),
  ];
  const create = async ({ name }) => {
    await verb("create", { kind: "bus", name });
    return `${name} is there.`;
  };
  return html`<h2>Event buses</h2>
    <${Listing} load=${(page) => verb("buses", page)} columns=${columns}
      none="There is no event bus." />
    <h3>New bus</h3>
    <${Form} action="Create" send=${create} fields=${[
      { name: "name", title: "Name", required: true },
    ]} />`;
}

export function Bus({ parts: [account, region, bus] }) {
  const of = { bus, account, region };
  const { data, error } = useLoaded(() => verb("rules", of), [bus], 3);
  const { data: kept } = useLoaded(() => verb("archives", of), [bus], 5);
  const columns = [
    { title: "Rule", of: (rule) => rule.name },
    { title: "State", of: (rule) => (rule.enabled ? "enabled" : "disabled") },
    { title: "Pattern", of: (rule) => html`<${Text} value=${rule.pattern} />` },
    { title: "Targets", of: (rule) => html`<${Text} value=${rule.targets.map(filled)} />` },
    { title: "Counters", of: (rule) => html`<${Text} value=${rule.statistics} />` },
  ];
  const archives = [
    { title: "Archive", of: (one) => one.name },
    { title: "Events", number: true, of: (one) => count(one.events) },
    { title: "Pattern", of: (one) => html`<${Text} value=${one.pattern} />` },
  ];
  return html`<h2>${bus}</h2>
    <${Problem} error=${error} />
    ${bus !== "default" && html`<div class="bar"><span class="end"><${Sure} title="Delete bus"
      question=${`Delete ${bus} and its rules?`}
      act=${() => verb("remove", { kind: "bus", name: bus, account, region })}
      done=${() => { location.hash = link("buses"); }} /></span></div>`}
    <h3>Rules</h3>
    <${Table} columns=${columns} rows=${data?.rules ?? []} none="There is no rule." />
    ${kept?.archives.length > 0 && html`<h3>Archives</h3>
      <${Table} columns=${archives} rows=${kept.archives} />
      <${Replay} of=${of} />`}
    <h3>Try an event</h3>
    <${Try} of=${of} />`;
}

function Try({ of }) {
  const [found, setFound] = useState(null);
  const put = async ({ event }) => `Put as ${(await verb("put", { ...of, event })).event_id}.`;
  const explain = async ({ event }) => {
    const { rules } = await verb("explain", { ...of, event });
    setFound(Object.entries(rules));
    return `Rules that were asked: ${Object.keys(rules).length}.`;
  };
  const fields = [
    { name: "event", title: "Event", kind: "json", required: true, value: EXAMPLE },
  ];
  const columns = [
    { title: "Rule", of: ([name]) => name },
    { title: "Matches", of: ([, why]) => (why.matched
      ? html`<span class="good">yes</span>` : html`<span class="bad">no</span>`) },
    { title: "Field", of: ([, why]) => html`<code>${why.path ?? ""}</code>` },
    { title: "Why not", of: ([, why]) => why.reason ?? "" },
    { title: "The pattern wants", of: ([, why]) => list(why.wanted) },
    { title: "The event has", of: ([, why]) => list(why.found) },
  ];
  const others = [{ title: "Put it", send: put }];
  return html`<${Form} action="Would it match?" send=${explain} others=${others}
      fields=${fields} />
    ${found && html`<${Table} columns=${columns} rows=${found} none="There is no rule." />`}`;
}

const list = (values) => (values ?? []).map((one) => html`<div><code>${one}</code></div>`);

function Replay({ of }) {
  const moment = (text) => (text === undefined ? undefined : Date.parse(text) / 1000);
  const start = async ({ archive, start, end }) => {
    const given = { ...of, archive, start: moment(start), end: moment(end) };
    return `Started as ${(await verb("replay", given)).name}.`;
  };
  return html`<${Form} action="Replay" send=${start} fields=${[
    { name: "archive", title: "Archive", required: true },
    { name: "start", title: "From", hint: "2026-01-31T12:00:00Z" },
    { name: "end", title: "Until", hint: "now" },
  ]} />`;
}
