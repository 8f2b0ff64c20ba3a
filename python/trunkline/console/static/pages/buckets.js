// Buckets: objects by prefix.

import { verb } from "/_trunkline/console/api.js";
import {
  Listing, Problem, Table, Text, count, html, link, owned, time, useLoaded, useState,
} from "/_trunkline/console/parts.js";

export function Buckets() {
  const columns = [
    { title: "Name", of: (row) => html`<a href=${link("buckets", ...owned(row))}>${row.name}</a>` },
    { title: "Account", of: (row) => row.account },
    { title: "Region", of: (row) => row.region },
    { title: "Counters", of: ({ name, account, region, ...rest }) =>
      html`<${Text} value=${rest} />` },
  ];
  return html`<h2>Buckets</h2>
    <${Listing} load=${(page) => verb("buckets", page)} columns=${columns}
      none="There is no bucket." />`;
}

export function Bucket({ parts: [account, region, bucket] }) {
  const [prefix, setPrefix] = useState("");
  const of = { bucket, account, region, prefix, delimiter: "/", limit: 1000 };
  const { data, error } = useLoaded(() => verb("objects", of), [bucket, prefix], 5);
  const open = (to) => (event) => { event.preventDefault(); setPrefix(to); };
  const columns = [
    { title: "Key", of: (one) => (one.prefix === undefined
      ? html`<code>${one.key}</code>`
      : html`<a href="#" onClick=${open(one.prefix)}><code>${one.prefix}</code></a>`) },
    { title: "Bytes", number: true, of: (one) => (one.key ? count(one.bytes) : "") },
    { title: "Modified", of: (one) => (one.key ? time(one.modified_at) : "") },
    { title: "ETag", of: (one) => html`<code>${one.etag ?? ""}</code>` },
  ];
  const above = prefix.replace(/[^/]*\/$/, "");
  return html`<h2>${bucket}</h2>
    <${Problem} error=${error} />
    <div class="bar"><code>/${prefix}</code>
      <button disabled=${prefix === ""} onClick=${open(above)}>Up</button>
      <span class="note">${data?.more && "The first 1,000 are shown."}</span></div>
    <${Table} columns=${columns} rows=${data?.items ?? []} none="No object is here." />`;
}
