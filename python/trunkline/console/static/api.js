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
