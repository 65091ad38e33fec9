/* The one Python of a page, in a worker of its own: started at the first run, ended by a stop. */

/**
 * @typedef {object} Listener What a cell hears of its run.
 * @property {(share: number | null) => void} loading Python is being fetched; how much of it is there.
 * @property {() => void} running The cell's code starts.
 * @property {(kind: string, content: string) => void} output
 */

/** @typedef {{how: "done" | "stopped" | "crashed" | "failed", reason?: string}} End How a run ended. */

/** Say why Python cannot run in this browser at all, or return "". */
export function missing() {
  if (typeof WebAssembly !== "object") return "this browser has no WebAssembly";
  if (typeof Worker !== "function") return "this browser has no workers";
  if (typeof DecompressionStream !== "function") return "this browser is too old";
  return "";
}

export class Engine {
  #worker = null;
  #ready = false;
  #runs = new Map();
  #last = 0;
  #ended = false;

  /** Whether an earlier Python was ended, and its names with it, since this was last asked. */
  takeEnded() {
    const ended = this.#ended;
    this.#ended = false;
    return ended;
  }

  /**
   * Run a cell's code after those that wait already.
   * @param {string} cell its name, for tracebacks
   * @param {string} code
   * @param {Listener} listener
   * @returns {Promise<End>}
   */
  run(cell, code, listener) {
    const reason = missing();
    if (reason) return Promise.resolve({ how: "failed", reason });
    this.#worker ??= this.#start();
    return new Promise((end) => {
      const id = ++this.#last;
      this.#runs.set(id, { listener, end });
      if (!this.#ready) listener.loading(null);
      else if (this.#runs.size === 1) listener.running();
      this.#worker.postMessage({ id, cell, code });
    });
  }

  /** End Python, whatever it does; every run that waits ends as stopped. */
  stop() {
    if (this.#runs.size) this.#finish({ how: "stopped" });
  }

  #start() {
    const worker = new Worker(new URL("worker.js", import.meta.url));
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#finish({ how: "failed", reason: event.message || "worker.js could not be fetched" });
    };
    return worker;
  }

  #finish(end) {
    this.#worker?.terminate();
    this.#ended ||= this.#ready;
    this.#worker = null;
    this.#ready = false;
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    for (const run of runs) run.end(end);
  }

  #receive(data) {
    const run = this.#runs.get(data.id);
    const first = () => this.#runs.values().next().value?.listener;
    if (data.type === "loading") for (const { listener } of this.#runs.values()) listener.loading(data.share);
    else if (data.type === "ready") {
      this.#ready = true;
      first()?.running();
    } else if (data.type === "output") run?.listener.output(data.kind, data.content);
    else if (data.type === "done") {
      this.#runs.delete(data.id);
      run?.end({ how: "done" });
      first()?.running();
    } else this.#finish({ how: data.type, reason: data.reason });
  }
}
