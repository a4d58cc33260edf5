// The npm package eventsource as a client of streams. See README.md.
//
//   node node.mjs eventsource|eventsource-2 URL

const [, , name, url] = process.argv;

async function eventSourceOf(name) {
  try {
    const found = await import(name);
    return found.EventSource ?? found.default;
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error(`the npm package ${name} is not installed`);
    process.exit(77);
  }
}

const EventSource = await eventSourceOf(name);
const source = new EventSource(url);
for (const name of ["n", "gap"])
  source.addEventListener(name, ({ data, lastEventId }) =>
    console.log(
      JSON.stringify({
        name,
        id: lastEventId,
        at: Date.now(),
        data: name === "n" ? JSON.parse(data) : null,
      }),
    ),
  );
source.onerror = () => console.log(JSON.stringify({ name: "ended" }));

// Nothing else keeps Node from ending while it waits to come back.
setInterval(() => {}, 60_000);
