// Streams: shards and readers, records by shard and time.

import { verb } from "/_trunkline/console/api.js";
import {
  Form, Listing, Problem, Sure, Table, Text, count, html, link, owned, time, useLoaded, useState,
} from "/_trunkline/console/parts.js";

const SHOWN = 100;

export function Streams() {
  const columns = [
    { title: "Name", of: (row) => html`<a href=${link("streams", ...owned(row))}>${row.name}</a>` },
    { title: "Account", of: (row) => row.account },
    { title: "Region", of: (row) => row.region },
    { title: "Records", number: true, of: (row) => count(row.records) },
    { title: "Bytes", number: true, of: (row) => count(row.bytes) },
  ];
  const create = async ({ name, shards }) => {
    await verb("create", { kind: "stream", name, options: shards ? { shards } : {} });
    return `${name} is there.`;
  };
  return html`<h2>Streams</h2>
    <${Listing} load=${(page) => verb("streams", page)} columns=${columns}
      none="There is no stream." />
    <h3>New stream</h3>
    <${Form} action="Create" send=${create} fields=${[
      { name: "name", title: "Name", required: true },
      { name: "shards", title: "Shards", kind: "number", hint: "1" },
    ]} />`;
}

export function Stream({ parts: [account, region, stream] }) {
  const of = { stream, account, region };
  const [asked, setAsked] = useState({ start: "earliest" });
  const { data, error } = useLoaded(() => verb("shards", of), [stream], 3);
  const read = () => verb("records", { ...of, ...asked, max: SHOWN });
  const records = useLoaded(read, [stream, asked]);
  const columns = [
    { title: "Time", of: (one) => time(one.timestamp) },
    { title: "Shard", of: (one) => one.shard },
    { title: "Sequence", of: (one) => html`<code>${one.sequence}</code>` },
    { title: "Key", of: (one) => one.key },
    { title: "Data", of: (one) => html`<${Text} value=${one.data ?? one.data_base64} />` },
  ];
  const shards = [
    { title: "Shard", of: (one) => one.id },
    { title: "State", of: (one) => (one.open ? "open" : "closed") },
  ];
  const put = async (given) => {
    const { shard, sequence } = await verb("put-record", { ...of, ...given });
    records.again();
    return `Put into ${shard} as ${sequence}.`;
  };
  const find = async ({ shard, from }) => {
    const moment = from && Date.parse(from) / 1000;
    if (Number.isNaN(moment)) throw new Error("From is no time; write 2026-01-31T12:00:00Z.");
    setAsked({ shard, start: moment ?? "earliest" });
    return "";
  };
  const last = records.data?.records.at(-1);
  return html`<h2>${stream}</h2>
    <${Problem} error=${error ?? records.error} />
    <div class="bar"><span class="end"><${Sure} title="Delete stream"
      question=${`Delete ${stream} and its records?`}
      act=${() => verb("remove", { kind: "stream", name: stream, account, region })}
      done=${() => { location.hash = link("streams"); }} /></span></div>
    <h3>Records</h3>
    <${Form} action="Show" send=${find} fields=${[
      { name: "shard", title: "Shard", hint: "all" },
      { name: "from", title: "From", hint: "the beginning, or 2026-01-31T12:00:00Z" },
    ]} />
    <${Table} columns=${columns} rows=${records.data?.records ?? []} none="No record is here." />
    <div class="bar"><button disabled=${!last || records.data.records.length < SHOWN}
      onClick=${() => setAsked({ ...asked, after: last.sequence })}>Next ${SHOWN}</button></div>
    <div class="columns">
      <div><h3>Put</h3><${Form} action="Put" send=${put} fields=${[
        { name: "key", title: "Partition key", required: true },
        { name: "data", title: "Data", kind: "area", required: true },
      ]} /></div>
      <div><h3>Shards</h3><${Table} columns=${shards} rows=${data?.shards ?? []} />
        <h3>Counters</h3><pre class="box"><${Text} value=${data?.statistics} /></pre></div>
    </div>`;
}
