// Functions of this process: counters, a call.

import { verb } from "/_trunkline/console/api.js";
import { Form, Listing, Text, html, useState } from "/_trunkline/console/parts.js";

export function Functions() {
  const [output, setOutput] = useState(null);
  const columns = [
    { title: "Name", of: (row) => row.name },
    { title: "Counters", of: ({ name, account, region, ...rest }) =>
      html`<${Text} value=${rest} />` },
  ];
  const invoke = async (given) => {
    setOutput((await verb("invoke", given)).output);
    return "It returned:";
  };
  return html`<h2>Functions</h2>
    <${Listing} load=${({ prefix, after }) => verb("functions", { prefix, after })}
      columns=${columns} none="This process has code for no function." />
    <h3>Call one</h3>
    <${Form} action="Call" send=${invoke} fields=${[
      { name: "function", title: "Function", required: true },
      { name: "event", title: "Event", kind: "json", value: "{}" },
    ]} />
    ${output !== null && html`<pre class="box"><${Text} value=${output} /></pre>`}`;
}
