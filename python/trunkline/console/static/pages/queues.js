// Queues: depths, a look at messages, sending, purging, moving dead letters back.

import { verb } from "/_trunkline/console/api.js";
import {
  Chart, Form, Listing, Problem, Sure, Table, Text, count, html, link, owned, time, useHistory,
  useLoaded, useState,
} from "/_trunkline/console/parts.js";

const SERIES = [
  { title: "visible", color: "#22a06b" },
  { title: "in flight", color: "#d97706" },
  { title: "delayed", color: "#8b5cf6" },
];
const PEEKED = 50;

export function Queues() {
  const columns = [
    { title: "Name", of: (row) => html`<a href=${link("queues", ...owned(row))}>${row.name}</a>` },
    { title: "Account", of: (row) => row.account },
    { title: "Region", of: (row) => row.region },
    { title: "Visible", number: true, of: (row) => count(row.visible) },
    { title: "In flight", number: true, of: (row) => count(row.in_flight) },
    { title: "Delayed", number: true, of: (row) => count(row.delayed) },
    { title: "Oldest, s", number: true, of: (row) => row.oldest_age?.toFixed(1) ?? "" },
    { title: "Dead letters go to", of: (row) => row.dead_letter ?? "" },
  ];
  const create = async ({ name }) => {
    await verb("create", { kind: "queue", name });
    return `${name} is there.`;
  };
  return html`<h2>Queues</h2>
    <${Listing} load=${(page) => verb("queues", page)} columns=${columns}
      none="There is no queue." />
    <h3>New queue</h3>
    <${Form} action="Create" send=${create} fields=${[
      { name: "name", title: "Name", required: true, hint: "orders, or orders.fifo" },
    ]} />`;
}

export function Queue({ parts: [account, region, queue] }) {
  const of = { queue, account, region };
  const found = useLoaded(async () => {
    const page = await verb("queues", { account, region, prefix: queue, limit: 1 });
    return page.items.find((row) => row.name === queue) ?? null;
  }, [queue], 2);
  const { data: told, error } = useLoaded(() => verb("settings", of), [queue]);
  const now = found.data;
  const depths = useHistory(now && [now.visible, now.in_flight, now.delayed]);
  const gone = () => { location.hash = link("queues"); };
  return html`<h2>${queue}</h2>
    <${Problem} error=${error ?? found.error} />
    <div class="bar">
      ${now && html`<span>${[`${count(now.visible)} visible`, `${count(now.in_flight)} in flight`,
        `${count(now.delayed)} delayed`].join(", ")}</span>`}
      <span class="end">
        <${Sure} title="Purge" question=${`Remove all messages of ${queue}?`}
          act=${() => verb("purge", of)} />${" "}
        <${Sure} title="Delete queue" question=${`Delete ${queue} and all that is in it?`}
          act=${() => verb("remove", { kind: "queue", name: queue, account, region })}
          done=${gone} />
      </span>
    </div>
    <${Chart} title="Messages, while this page is open" series=${SERIES} data=${depths} />
    <${Messages} of=${of} isDead=${told?.dead_letter_sources.length > 0} />
    <div class="columns">
      <div><h3>Send</h3><${Send} of=${of} isFifo=${queue.endsWith(".fifo")} /></div>
      <div><h3>Settings</h3><pre class="box"><${Text} value=${told?.settings} /></pre>
        ${told?.dead_letter_sources.length > 0 && html`<${Redrive} of=${of} />`}</div>
    </div>`;
}

function Messages({ of, isDead }) {
  const [search, setSearch] = useState("");
  const [isAll, setAll] = useState(true);
  const look = () => verb("peek", { ...of, max: PEEKED, search, include_in_flight: isAll });
  const { data, error, again } = useLoaded(look, [search, isAll], 3);
  const columns = [
    { title: "Sent", of: (one) => time(one.sent_at) },
    { title: "Message", of: (one) => html`<a class="mono" href=${link("trace", one.message_id)}
      title="What happened to it">${one.message_id}</a>` },
    { title: "Received", number: true, of: (one) => count(one.receive_count) },
    { title: "Group", of: (one) => one.group ?? "" },
    { title: "Body", of: (one) => html`<${Text} value=${one.body ?? one.body_base64} />` },
    { title: "Attributes", of: (one) => one.attributes
      && html`<${Text} value=${one.attributes} />` },
    ...(isDead ? [{ title: "", of: (one) => one.dead_letter_source && html`<${Back} of=${of}
      id=${one.message_id} done=${again} />` }] : []),
  ];
  return html`<h3>Messages</h3>
    <div class="bar">
      <input type="search" placeholder="Body or attributes contain" value=${search}
        aria-label="Body or attributes contain"
        onChange=${(event) => setSearch(event.target.value)} />
      <label><input type="checkbox" checked=${isAll}
        onChange=${(event) => setAll(event.target.checked)} /> also those in flight</label>
      <button onClick=${again}>Look again</button>
      <span class="note">${data && `${data.messages.length} shown, oldest first; none is leased`}
        ${data?.found !== undefined && `; ${count(data.found)} found`}</span>
    </div>
    <${Problem} error=${error} />
    <${Table} columns=${columns} rows=${data?.messages ?? []} none="No message is here." />`;
}

/** Moves one dead letter to the queue that it came from. */
function Back({ of, id, done }) {
  const [error, setError] = useState(null);
  const move = async () => {
    try {
      await verb("redrive-message", { ...of, message_id: id });
      done();
    } catch (refused) { setError(refused); }
  };
  return html`<button onClick=${move} aria-label=${`Move ${id} back`}>Move back</button>
    <${Problem} error=${error} />`;
}

function Send({ of, isFifo }) {
  const send = async (given) =>
    `Sent as ${(await verb("send", { ...of, body: "", ...given })).message_id}.`;
  const ordered = [
    { name: "group", title: "Group", required: true },
    { name: "dedup_id", title: "Deduplication" },
  ];
  return html`<${Form} action="Send" send=${send} fields=${[
    { name: "body", title: "Body", kind: "area", required: true },
    { name: "attributes", title: "Attributes", kind: "json", hint: '{"table": 4}' },
    ...(isFifo ? ordered : [{ name: "delay", title: "Delay, s", kind: "number" }]),
  ]} />`;
}

function Redrive({ of }) {
  const { data, again } = useLoaded(() => verb("redrive-tasks", of), [], 2);
  const start = async ({ to, rate }) => {
    await verb("redrive", { ...of, to, rate });
    again();
    return "Started.";
  };
  const columns = [
    { title: "Move", of: (one) => one.status },
    { title: "Moved", number: true, of: (one) => count(one.moved) },
    { title: "Of", number: true, of: (one) => count(one.total) },
    { title: "Failure", of: (one) => one.failure ?? "" },
  ];
  return html`<h3>Move dead letters back</h3>
    <${Form} action="Move" send=${start} fields=${[
      { name: "to", title: "To", hint: "where they came from" },
      { name: "rate", title: "A second", kind: "number", hint: "as fast as it goes" },
    ]} />
    <${Table} columns=${columns} rows=${data?.tasks ?? []} none="No move was started." />`;
}
