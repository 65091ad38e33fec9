/* Runs Python for the cells of one page. A classic worker: the engine is a script for `importScripts`. */

const engine = new URL("../vendor/python/python.tar.gz", self.location.href);
const course = new URL("cnncourse.zip", self.location.href);
const runner = new URL("runner.py", self.location.href);

const post = (message) => self.postMessage(message);
const started = start();
started.then(
  () => post({ type: "ready" }),
  (error) => post({ type: "failed", reason: String(error?.message ?? error) }),
);

let running = null; // the id of the run whose output comes

self.onmessage = async ({ data }) => {
  const python = await started.catch(() => null);
  if (!python) return;
  running = data.id;
  try {
    const cell = `${JSON.stringify(data.cell)}, ${JSON.stringify(data.code)}`;
    python.exec(`try_it_runner.run(*__import__("json").loads(${JSON.stringify(`[${cell}]`)}))`);
    post({ type: "done", id: data.id });
  } catch (error) {
    post({ type: "crashed", id: data.id, reason: String(error?.message ?? error) });
  }
  running = null;
};

/** Fetch a file whole; `report` hears how many bytes there are so far. */
async function bytes(url, report) {
  const name = url.pathname.split("/").pop();
  const answer = await fetch(url, { cache: "no-cache" }).catch(() => null);
  if (!answer?.ok) throw new Error(`${name} could not be fetched${answer ? ` (status ${answer.status})` : ""}`);
  const pieces = [];
  let loaded = 0;
  const total = Number(answer.headers.get("Content-Length"));
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    loaded += value.length;
    report?.(loaded, total);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Some servers unpack a .gz on the way, others do not. */
async function unzipped(data) {
  if (data[0] !== 0x1f || data[1] !== 0x8b) return data;
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Read a tar archive: a block of 512 bytes about each file, then its content, filled up to whole blocks. */
function* files(archive) {
  const text = (at, length) => new TextDecoder().decode(archive.subarray(at, at + length)).replace(/\0.*$/s, "");
  for (let at = 0; at < archive.length && archive[at]; ) {
    const size = parseInt(text(at + 124, 12), 8);
    const folder = text(at + 345, 155);
    yield [(folder ? `${folder}/` : "") + text(at, 100), archive.subarray(at + 512, at + 512 + size)];
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** Fetch everything, then wake Python up in it. */
async function start() {
  const report = (loaded, total) => post({ type: "loading", share: total ? Math.min(loaded / total, 1) : null });
  const fetched = await Promise.all([bytes(engine, report), bytes(course), bytes(runner)]);
  post({ type: "loading", share: 1 });
  const library = new Map(files(await unzipped(fetched[0])));
  const compiled = WebAssembly.compile(library.get("xpython_wasm.wasm"));
  const python = await instantiate(library.get("xpython_wasm.js"), compiled);

  const write = (path, content) => {
    python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")) || "/");
    python.FS.writeFile(path, content, { canOwn: true });
  };
  for (const [name, content] of library) if (name.startsWith("lib/")) write(`/${name}`, content);
  write("/cnncourse.zip", fetched[1]);
  write("/lib/python3.11/try_it_runner.py", fetched[2]);
  await python.init("/", [3, 11]);
  const compiledModules = [...library.keys()].filter((name) => name.endsWith(".so")).map((name) => `/${name}`);
  await python._loadDynlibsFromPackage("/", [3, 11], "numpy", false, compiledModules);
  python.exec('import sys\nsys.path.insert(0, "/cnncourse.zip")\nimport try_it_runner');
  return python;
}

/** Start the engine's script. It looks for some names in the worker's own scope, and talks to the console. */
async function instantiate(script, compiled) {
  console.log = () => {};
  Object.assign(globalThis, { Module: {}, toplevel_promise: null, toplevel_promise_py_proxy: null });
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  importScripts(url);
  URL.revokeObjectURL(url);
  const module = await compiled;
  globalThis.Module = await globalThis.createXeusModule({
    print: receive,
    printErr: () => {},
    instantiateWasm(imports, receiveInstance) {
      WebAssembly.instantiate(module, imports).then((instance) => receiveInstance(instance, module));
      return {};
    },
  });
  return globalThis.Module;
}

/** Hand a line of the runner's to the page; what else gets written to the terminal is nobody's. */
function receive(line) {
  let message = null;
  try {
    message = JSON.parse(line);
  } catch {
    return;
  }
  if (running === null || typeof message?.kind !== "string" || typeof message.content !== "string") return;
  post({ type: "output", id: running, kind: message.kind, content: message.content });
}
