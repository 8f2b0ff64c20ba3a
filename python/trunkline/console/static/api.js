// The operator's verbs: `POST /_trunkline/api/VERB` with a JSON object. docs/server.md lists them.

const TOKEN = "trunkline-admin-token";

export class Refused extends Error {
  constructor(status, name, message) {
    super(message);
    this.status = status;
    this.name = name;
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN) ?? "",
  set: (value) => sessionStorage.setItem(TOKEN, value),
};

async function request(path, options = {}) {
  const headers = { ...options.headers };
  if (token.get()) headers["x-trunkline-token"] = token.get();
  const response = await fetch(`/_trunkline/${path}`, { ...options, headers });
  if (response.ok) return response;
  const text = await response.text();
  let told = {};
  try { told = JSON.parse(text); } catch { told = { message: text.slice(0, 500) }; }
  throw new Refused(response.status, told.error ?? `HTTP ${response.status}`, told.message ?? "");
}

/** What a verb answers. Arguments that are undefined or empty text are left out. */
export async function verb(name, given = {}) {
  const kept = Object.entries(given).filter(([, value]) => value !== undefined && value !== "");
  const response = await request(`api/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(Object.fromEntries(kept)),
  });
  return response.json();
}

/** What a path beside the verbs answers: `clock`, `faults`, `requests`, `trace`. */
export async function path(name, method = "GET", body = undefined) {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  return (await request(name, { method, body: sent })).json();
}

/** The samples of `/metrics`: `[{name, labels, value}]`. */
export async function metrics() {
  return parse(await (await request("metrics")).text());
}

/** Reads the text format of Prometheus. */
export function parse(text) {
  const found = [];
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) continue;
    const labels = {};
    for (const [, name, value] of (match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[name] = value.replace(/\\(.)/g, (_, one) => (one === "n" ? "\n" : one));
    }
    found.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return found;
}
