// An SSE Gateway as production runs it, made from its protocol alone: holds the streams of browsers,
// asks a backend about each, and obeys POST /internal/send. Its generations speak differently to
// browsers. What they do is in gateway_facts.json; here is how.
//
//   node sse_gateway.mjs GENERATION PORT CALLBACK_URL
//
// GENERATION is 1, mid or 2. Writes one JSON object a line about what happens: {"port"} when it listens,
// {"callback"} with what was told and the backend's answer, {"sockets"} whenever a connection to it has opened or
// closed. For tests alone: POST /testing/faults {"times", "status", "code"} makes the next sends
// fail.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const facts = JSON.parse(readFileSync(new URL("gateway_facts.json", import.meta.url)));
const [generation, port, callbackUrl] = process.argv.slice(2);
const ways = facts.generations[generation];
const { reasons } = facts.callback;

/** Streams by token: {response, request, open, buffer}. */
const streams = new Map();
const faults = { times: 0 };

const tell = (what) => console.log(JSON.stringify(what));

async function callBack(action, token, request, reason) {
  const known = { action, reason, token, request };
  const body = Object.fromEntries(facts.callback[action].map((field) => [field, known[field]]));
  const answer = await fetch(callbackUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(facts.callback.timeout_ms),
  });
  tell({ callback: action, token, request, status: answer.status, answer: await answer.text() });
  return answer.status;
}

/** Best effort: nobody hears of a disconnect that is lost. */
function tellDisconnect(token, stream, reason) {
  streams.delete(token);
  callBack("disconnect", token, stream.request, reason).catch(() => {});
}

function frame({ name, data }) {
  if (ways.envelope && name !== undefined && !ways.stays_named.includes(name))
    return `data: {"type":"${name}","payload":${data}}\n\n`;
  const lines = data.split("\n").map((line) => `data: ${line}\n`);
  return `${name === undefined ? "" : `event: ${name}\n`}${lines.join("")}\n`;
}

function writeHead(response) {
  response.writeHead(200, facts.page.head);
}

/** `status` is the backend's, where it has given one. */
function refuse(response, why, status) {
  const { code, message, status: own } = facts.page.refusals[why];
  if (ways.rejected_statuses.includes(status)) {
    writeHead(response);
    const data = JSON.stringify({ status, message: facts.page.rejected_messages[status] });
    return response.end(`event: rejected\ndata: ${data}\n\n`);
  }
  reply(response, own ?? status, { error: { message, code } });
}

async function openStream(incoming, response) {
  const token = randomUUID();
  const request = { url: incoming.url, headers: incoming.headers };
  const stream = { response, request, open: false, buffer: [] };
  streams.set(token, stream);
  // A browser that leaves before its stream is open leaves without a word to the backend.
  response.on("close", () => {
    if (!stream.open) streams.delete(token);
    else if (streams.has(token)) tellDisconnect(token, stream, reasons.browser_left);
  });
  let status;
  try {
    status = await callBack("connect", token, request);
  } catch (error) {
    streams.delete(token);
    return refuse(response, error.name === "TimeoutError" ? "backend_late" : "backend_away");
  }
  if (!streams.has(token)) return;
  if (status < 200 || status > 299) {
    streams.delete(token);
    return refuse(response, "backend_refused", status);
  }
  writeHead(response);
  response.flushHeaders();
  stream.open = true;
  for (const order of stream.buffer) obey(token, stream, order);
  if (ways.ready) response.write(ways.ready);
}

setInterval(() => {
  for (const { open, response } of streams.values()) if (open) response.write(facts.page.heartbeat);
}, facts.page.heartbeat_ms).unref();

function obey(token, stream, { event, close }) {
  if (event) stream.response.write(frame(event));
  if (close) {
    stream.response.end();
    tellDisconnect(token, stream, reasons.backend_closed);
  }
}

const typeOf = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** Whether an order breaks the rule; the rules of an event are for orders that have one. */
function breaks(order, { field, type, required, not_empty }) {
  const path = field.split(".");
  const last = path.pop();
  const holder = path.reduce((value, name) => value[name], order);
  if (holder === undefined) return false;
  const value = holder[last];
  if (value === undefined) return required === true;
  return typeOf(value) !== type || (not_empty === true && value === "");
}

/** Status and body of an answer to an order. */
function answer(what) {
  const { status, body, code, message } = facts.send.answers[what];
  return [status, body ?? { error: { message, code } }];
}

function send(order) {
  const broken = facts.send.rules.find((rule) => breaks(order, rule));
  if (broken) {
    const { code, message } = broken;
    return [facts.send.answers.broken_rule.status, { error: { message, code } }];
  }
  const stream = streams.get(order.token);
  if (!stream) return answer("unknown_token");
  if (faults.times > 0) {
    faults.times -= 1;
    if (faults.code === facts.send.answers.write_failed.code) {
      stream.response.destroy();
      tellDisconnect(order.token, stream, reasons.write_failed);
    }
    return [faults.status, { error: { message: "as the test wants it", code: faults.code } }];
  }
  if (!stream.open) {
    stream.buffer.push(order);
    return answer("not_open_yet");
  }
  obey(order.token, stream, order);
  return answer("sent");
}

function reply(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

async function read(incoming) {
  let text = "";
  incoming.setEncoding("utf8");
  for await (const part of incoming) {
    text += part;
    if (text.length > facts.send.max_body_bytes) return undefined;
  }
  return text;
}

async function post(incoming, response) {
  const text = await read(incoming);
  if (text === undefined) return reply(response, ...answer("too_large"));
  if (incoming.url === "/internal/send") return reply(response, ...send(JSON.parse(text)));
  if (incoming.url !== "/testing/faults") return reply(response, 404, {});
  Object.assign(faults, JSON.parse(text));
  reply(response, 200, {});
}

const server = createServer((incoming, response) => {
  if (incoming.method === "POST") return post(incoming, response);
  if (incoming.url === "/healthz" || incoming.url === "/readyz") return reply(response, 200, {});
  openStream(incoming, response);
});
// Node's own default, which production has: an idle connection is closed after so long.
server.keepAliveTimeout = facts.send.idle_timeout_ms;

let sockets = 0;
server.on("connection", (socket) => {
  tell({ sockets: ++sockets });
  socket.on("close", () => tell({ sockets: --sockets }));
});
server.listen(Number(port), "127.0.0.1", () => tell({ port: server.address().port }));
