// Python in a worker of its own: the page stays quick whatever is asked.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const ready = (async () => {
  const python = await loadPyodide({ indexURL: new URL("./pyodide/", import.meta.url).href });
  const packed = await (await fetch(new URL("./didact.zip", import.meta.url))).arrayBuffer();
  python.unpackArchive(packed, "zip", { extractDir: "/didact" });
  python.runPython("import sys; sys.path.insert(0, '/didact')");
  return python.pyimport("didact.web.calls");
})();

onmessage = async ({ data }) => {
  try {
    const calls = await ready;
    postMessage({ number: data.number, result: calls.call(data.call, JSON.stringify(data.values)) });
  } catch (error) {
    const reason = String(error.message || error).trim().split("\n").at(-1);
    postMessage({ number: data.number, error: reason });
  }
};
