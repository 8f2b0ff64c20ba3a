// The clock, injected faults, a copy of everything.

import { path, verb } from "/_trunkline/console/api.js";
import { Form, Problem, Sure, Table, html, time, useLoaded } from "/_trunkline/console/parts.js";

const FAULTS = ["verb", "effect", "queue", "account", "region", "after", "times"]
  .map((name) => ({ title: name[0].toUpperCase() + name.slice(1), of: (one) => one[name] ?? "" }));

export function Tools() {
  const clock = useLoaded(() => path("clock"), [], 2);
  const faults = useLoaded(() => path("faults"), [], 2);
  const advance = async ({ span }) => {
    const { now } = await path("clock", "POST", { advance: span });
    clock.again();
    return `It is ${time(now)}.`;
  };
  const add = async (given) => {
    await path("faults", "POST", given);
    faults.again();
    return "Set.";
  };
  const copy = async ({ folder }) => {
    await verb("snapshot", { path: folder });
    return `Written to ${folder}, on the machine of the server.`;
  };
  return html`<h2>Clock and faults</h2>
    <${Problem} error=${clock.error ?? faults.error} />
    <h3>Clock</h3>
    <p>${clock.data && time(clock.data.now)}</p>
    ${clock.data?.virtual
      ? html`<${Form} action="Advance" send=${advance} fields=${[
        { name: "span", title: "By", required: true, hint: "900, 15m, 2h" },
      ]} />`
      : html`<p class="note">It is the system's; <code>--virtual-clock</code> lets you move
          it.</p>`}
    <h3>Faults</h3>
    <${Table} columns=${FAULTS} rows=${faults.data?.faults ?? []} none="No fault is set." />
    <div class="bar"><${Sure} title="Take all back" question="Take all faults back?"
      act=${() => path("faults", "DELETE")} done=${faults.again} /></div>
    <${Form} action="Set" send=${add} fields=${[
      { name: "verb", title: "Verb", required: true, hint: "send" },
      { name: "effect", title: "Effect", required: true, hint: "error, delay, duplicate, crash" },
      { name: "delay", title: "Delay, s", kind: "number", hint: "of the effect delay" },
      { name: "message", title: "Message", hint: "of the effect error" },
      { name: "queue", title: "Queue", hint: "all" },
      { name: "after", title: "After", kind: "number", hint: "0 calls" },
      { name: "times", title: "Times", kind: "number", hint: "always" },
    ]} />
    <h3>Copy</h3>
    <${Form} action="Write a copy" send=${copy} fields=${[
      { name: "folder", title: "New folder", required: true },
    ]} />`;
}
