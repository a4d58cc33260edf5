// A browser's EventSource, as far as Node goes: opens a stream and writes what happens to it, one
// JSON object a line.
//
//   node [--experimental-eventsource] event_source.mjs native|own URL NAME...
//
// `native` takes Node's own EventSource, `own` the one below, for a Node that has none.

const [, , kind, url, ...names] = process.argv;

class OwnEventSource extends EventTarget {
  #url;
  #retry = 1000;
  #lastEventId = "";
  /// What the id will be once the block that it stands in is complete.
  #nextId = "";

  constructor(url) {
    super();
    this.#url = url;
    this.#run();
  }

  async #run() {
    for (;;) {
      try {
        await this.#readOneStream();
      } catch (error) {
        if (error.fatal) return this.dispatchEvent(Object.assign(new Event("error"), error));
      }
      this.dispatchEvent(new Event("error"));
      await new Promise((resolve) => setTimeout(resolve, this.#retry));
    }
  }

  async #readOneStream() {
    const headers = { Accept: "text/event-stream" };
    if (this.#lastEventId) headers["Last-Event-ID"] = this.#lastEventId;
    const answer = await fetch(this.#url, { headers });
    if (answer.status !== 200) throw Object.assign(new Error(), { fatal: true });
    this.dispatchEvent(new Event("open"));
    let text = "";
    let event = { type: "message", data: [] };
    this.#nextId = this.#lastEventId;
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
      const lines = (text + part).split("\n");
      text = lines.pop();
      for (const line of lines) event = this.#take(line, event);
    }
  }

  #take(line, event) {
    if (line === "") {
      this.#lastEventId = this.#nextId;
      if (event.data.length > 0) this.#dispatch(event);
      return { type: "message", data: [] };
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "event") event.type = value;
    else if (field === "data") event.data.push(value);
    else if (field === "id") this.#nextId = value;
    else if (field === "retry") this.#retry = Number(value);
    return event;
  }

  #dispatch({ type, data }) {
    const init = { data: data.join("\n"), lastEventId: this.#lastEventId };
    this.dispatchEvent(Object.assign(new Event(type), init));
  }
}

const source = kind === "native" ? new EventSource(url) : new OwnEventSource(url);
for (const name of ["open", "error", ...names])
  source.addEventListener(name, ({ type, data, lastEventId }) =>
    console.log(JSON.stringify({ type, data, lastEventId })),
  );

// Node's own does not keep Node from ending while it waits to come back.
setInterval(() => {}, 60_000);
