// Two back ends with one face: ask(call, arguments) gives what didact.web.answer gives.
const meta = (name) => document.querySelector(`meta[name="didact-${name}"]`).content;
export const kind = meta("backend");

class Unreachable extends Error {}
class TooSlow extends Error {}

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

const MOST_SECONDS = 30;
let worker = null;
let warm = null;
let number = 0;
const waiting = new Map();

// Ends the worker, whatever it is doing; the next call starts another.
function end(error) {
  worker.terminate();
  worker = null;
  warm = null;
  const asked = [...waiting.values()];
  waiting.clear();
  for (const { reject } of asked) reject(error);
}

function post(call, values) {
  if (worker === null) {
    worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => {
      const { resolve, reject } = waiting.get(data.number);
      waiting.delete(data.number);
      if (!("error" in data)) { resolve(JSON.parse(data.result)); return; }
      reject(new Error(data.error));
      end(new Error(data.error)); // Python may have died of it and would never answer again
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(new Error(event.message || "worker"));
    };
  }
  number += 1;
  const asked = new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
  worker.postMessage({ number, call, values });
  return asked;
}

// Python is started first and without a limit: how long that takes lies with the network.
async function inTheBrowser(call, values) {
  warm ??= post("warm", {});
  await warm;
  const asked = post(call, values);
  const timer = setTimeout(() => end(new TooSlow()), MOST_SECONDS * 1000);
  return asked.finally(() => clearTimeout(timer));
}

export const ask = kind === "local" ? overLoopback : inTheBrowser;
export const isTooSlow = (error) => error instanceof TooSlow;
export const isUnreachable = (error) => error instanceof Unreachable;
// The static page begins to load Python as soon as it is open, so that the first answer is quick.
export const warmUp = () => (kind === "local" ? Promise.resolve() : (warm ??= post("warm", {})));
