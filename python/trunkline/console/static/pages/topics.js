// Topics: what became of their messages, subscriptions, publishing.

import { verb } from "/_trunkline/console/api.js";
import {
  Form, Listing, Problem, Sure, Table, Text, count, html, link, owned, useLoaded,
} from "/_trunkline/console/parts.js";

const STATES = ["published", "delivered", "dead_lettered", "failed"];

export function Topics() {
  const columns = [
    { title: "Name", of: (row) => html`<a href=${link("topics", ...owned(row))}>${row.name}</a>` },
    { title: "Account", of: (row) => row.account },
    { title: "Region", of: (row) => row.region },
    ...STATES.map((state) => ({
      title: state.replace("_", " "), number: true, of: (row) => count(row[state]),
    })),
  ];
  const create = async ({ name }) => {
    await verb("create", { kind: "topic", name });
    return `${name} is there.`;
  };
  return html`<h2>Topics</h2>
    <${Listing} load=${(page) => verb("topics", page)} columns=${columns}
      none="There is no topic." />
    <h3>New topic</h3>
    <${Form} action="Create" send=${create} fields=${[
      { name: "name", title: "Name", required: true, hint: "news, or news.fifo" },
    ]} />`;
}

export function Topic({ parts: [account, region, topic] }) {
  const of = { topic, account, region };
  const { data, error, again } = useLoaded(() => verb("subscriptions", of), [topic], 3);
  const columns = [
    { title: "Sends to", of: (one) => one.target },
    { title: "Raw", of: (one) => (one.raw ? "yes" : "no") },
    { title: "Filter", of: (one) => one.filter && html`<${Text} value=${one.filter} />` },
    { title: "Of", of: (one) => (one.filter ? one.filter_scope : "") },
    { title: "ARN", of: (one) => html`<code>${one.arn}</code>` },
  ];
  const publish = async (given) =>
    `Published as ${(await verb("publish", { ...of, ...given })).message_id}.`;
  const subscribe = async (given) => {
    await verb("subscribe", { ...of, ...given });
    again();
    return "Subscribed.";
  };
  const isFifo = topic.endsWith(".fifo");
  const ordered = [
    { name: "group", title: "Group", required: true },
    { name: "dedup_id", title: "Deduplication" },
  ];
  return html`<h2>${topic}</h2>
    <${Problem} error=${error} />
    <div class="bar"><span class="end"><${Sure} title="Delete topic"
      question=${`Delete ${topic} and its subscriptions?`}
      act=${() => verb("remove", { kind: "topic", name: topic, account, region })}
      done=${() => { location.hash = link("topics"); }} /></span></div>
    <h3>Subscriptions</h3>
    <${Table} columns=${columns} rows=${data?.subscriptions ?? []} none="Nothing is subscribed." />
    <div class="columns">
      <div><h3>Publish</h3><${Form} action="Publish" send=${publish} fields=${[
        { name: "body", title: "Message", kind: "area", required: true },
        { name: "subject", title: "Subject" },
        { name: "attributes", title: "Attributes", kind: "json", hint: '{"kind": "book"}' },
        ...(isFifo ? ordered : []),
      ]} /></div>
      <div><h3>Subscribe a queue</h3><${Form} action="Subscribe" send=${subscribe} fields=${[
        { name: "queue", title: "Queue", required: true },
        { name: "filter", title: "Filter", kind: "json", hint: '{"kind": ["book"]}' },
        { name: "raw", title: "Raw", kind: "check" },
      ]} /></div>
    </div>`;
}
