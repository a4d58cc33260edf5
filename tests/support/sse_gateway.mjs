// An SSE Gateway as production runs it, made from its protocol alone: holds the streams of browsers,
// asks a backend about each, and obeys POST /internal/send. Two generations of it speak differently
// to browsers.
//
//   node sse_gateway.mjs GENERATION PORT CALLBACK_URL
//
// GENERATION is 1 or 2. Writes one JSON object a line about what happens: {"port"} when it listens,
// {"callback"} with the backend's answer, {"sockets"} whenever a connection to it has opened or
// closed. For tests alone: POST /testing/faults {"times", "status", "code"} makes the next sends
// fail.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

const [generation, port, callbackUrl] = process.argv.slice(2);
const secondGeneration = generation === "2";
const bodyLimit = 100 * 1024;
const callbackTimeout = 5000;
const heartbeat = 15_000;

/** Streams by token: {response, request, open, buffer}. */
const streams = new Map();
const faults = { times: 0 };

const tell = (what) => console.log(JSON.stringify(what));

async function callBack(action, token, request, reason) {
  const answer = await fetch(callbackUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ action, reason, token, request }),
    signal: AbortSignal.timeout(callbackTimeout),
  });
  tell({ callback: action, token, status: answer.status, answer: await answer.text() });
  return answer.status;
}

/** Best effort: nobody hears of a disconnect that is lost. */
function tellDisconnect(token, stream, reason) {
  streams.delete(token);
  callBack("disconnect", token, stream.request, reason).catch(() => {});
}

function frame({ name, data }) {
  if (secondGeneration && name !== undefined) return `data: {"type":"${name}","payload":${data}}\n\n`;
  const lines = data.split("\n").map((line) => `data: ${line}\n`);
  return `${name === undefined ? "" : `event: ${name}\n`}${lines.join("")}\n`;
}

function writeHead(response) {
  response.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    Connection: "keep-alive",
    "X-Accel-Buffering": "no",
    "Access-Control-Allow-Origin": "*",
  });
}

function refuse(response, status, message, code) {
  if (secondGeneration && code === "BACKEND_ERROR" && [400, 401, 403].includes(status)) {
    writeHead(response);
    return response.end(`event: rejected\ndata: ${JSON.stringify({ status, message })}\n\n`);
  }
  reply(response, status, { error: { message, code } });
}

async function openStream(incoming, response) {
  const token = randomUUID();
  const request = { url: incoming.url, headers: incoming.headers };
  const stream = { response, request, open: false, buffer: [] };
  streams.set(token, stream);
  // A browser that leaves before its stream is open leaves without a word to the backend.
  response.on("close", () => {
    if (!stream.open) streams.delete(token);
    else if (streams.has(token)) tellDisconnect(token, stream, "client_closed");
  });
  let status;
  try {
    status = await callBack("connect", token, request);
  } catch (error) {
    streams.delete(token);
    return error.name === "TimeoutError"
      ? refuse(response, 504, "no answer in time", "GATEWAY_TIMEOUT")
      : refuse(response, 503, "no backend", "BACKEND_UNAVAILABLE");
  }
  if (!streams.has(token)) return;
  if (status < 200 || status > 299) {
    streams.delete(token);
    return refuse(response, status, "refused by the backend", "BACKEND_ERROR");
  }
  writeHead(response);
  response.flushHeaders();
  stream.open = true;
  for (const order of stream.buffer) obey(token, stream, order);
  if (secondGeneration) response.write("event: ready\ndata:\n\n");
}

setInterval(() => {
  for (const { open, response } of streams.values()) if (open) response.write(": heartbeat\n\n");
}, heartbeat).unref();

function obey(token, stream, { event, close }) {
  if (event) stream.response.write(frame(event));
  if (close) {
    stream.response.end();
    tellDisconnect(token, stream, "server_closed");
  }
}

function violation({ token, event, close }) {
  if (typeof token !== "string" || token === "") return "INVALID_TOKEN_MISSING";
  if (event !== undefined) {
    if (typeof event !== "object" || event === null) return "INVALID_EVENT_TYPE";
    if (typeof event.data !== "string") return "INVALID_EVENT_DATA_MISSING";
    if (event.name !== undefined && typeof event.name !== "string") return "INVALID_EVENT_NAME_TYPE";
  }
  if (close !== undefined && typeof close !== "boolean") return "INVALID_CLOSE_TYPE";
}

function send(order) {
  const code = violation(order);
  if (code) return [400, { error: { message: "invalid", code } }];
  const stream = streams.get(order.token);
  if (!stream) return [404, { error: { message: "no such stream", code: "TOKEN_NOT_FOUND" } }];
  if (faults.times > 0) {
    faults.times -= 1;
    if (faults.code === "WRITE_FAILED") {
      stream.response.destroy();
      tellDisconnect(order.token, stream, "error");
    }
    return [faults.status, { error: { message: "as the test wants it", code: faults.code } }];
  }
  if (!stream.open) {
    stream.buffer.push(order);
    return [200, { status: "buffered" }];
  }
  obey(order.token, stream, order);
  return [200, { status: "ok" }];
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
    if (text.length > bodyLimit) return undefined;
  }
  return text;
}

async function post(incoming, response) {
  const text = await read(incoming);
  if (text === undefined) return reply(response, 413, { error: { code: "PAYLOAD_TOO_LARGE" } });
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
server.keepAliveTimeout = 5000;

let sockets = 0;
server.on("connection", (socket) => {
  tell({ sockets: ++sockets });
  socket.on("close", () => tell({ sockets: --sockets }));
});
server.listen(Number(port), "127.0.0.1", () => tell({ port: server.address().port }));
