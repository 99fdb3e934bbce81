// Two back ends with one face: ask(call, arguments) gives what didact.web.answer gives.
const meta = (name) => document.querySelector(`meta[name="didact-${name}"]`).content;
export const kind = meta("backend");

class Unreachable extends Error {}

async function overLoopback(call, values) {
  let response;
  try {
    response = await fetch(`api/${call}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Didact-Token": meta("token") },
      body: JSON.stringify(values),
    });
  } catch {
    throw new Unreachable();
  }
  return response.json();
}

let worker = null;
let number = 0;
const waiting = new Map();

function inTheBrowser(call, values) {
  if (worker === null) {
    worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => {
      const { resolve, reject } = waiting.get(data.number);
      waiting.delete(data.number);
      if ("error" in data) reject(new Error(data.error));
      else resolve(JSON.parse(data.result));
    };
    worker.onerror = (event) => {
      for (const { reject } of waiting.values()) reject(new Error(event.message || "worker"));
      waiting.clear();
      worker = null;
    };
  }
  number += 1;
  const asked = new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
  worker.postMessage({ number, call, values });
  return asked;
}

export const ask = kind === "local" ? overLoopback : inTheBrowser;
export const isUnreachable = (error) => error instanceof Unreachable;
// The static page begins to load Python as soon as it is open, so that the first answer is quick.
export const warmUp = () => (kind === "local" ? Promise.resolve() : ask("warm", {}));
