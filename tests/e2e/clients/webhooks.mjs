// A receiver of webhooks that trusts what the npm package standardwebhooks does. See README.md.
//
//   node webhooks.mjs SECRET

import { createServer } from "node:http";

async function packageOf(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error(`the npm package ${name} is not installed`);
    process.exit(77);
  }
}

const { Webhook } = await packageOf("standardwebhooks");
const known = new Webhook(process.argv[2]);
const tell = (what) => console.log(JSON.stringify(what));

const server = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  try {
    for (const event of known.verify(body, request.headers).events) tell(event);
    response.writeHead(204).end();
  } catch (error) {
    tell({ refused: error.message });
    response.writeHead(400).end();
  }
});
server.listen(0, "127.0.0.1", () => tell({ port: server.address().port }));
