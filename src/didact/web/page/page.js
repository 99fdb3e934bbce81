// The page itself: asks a back end and shows the answer. Text goes in as text, never as HTML.
import { ask, isTooSlow, isUnreachable, kind, warmUp } from "./backend.js";
import { pack, unpack } from "./share.js";
import { make, sentence, show } from "./show.js";
import { EXAMPLES, TEXTS } from "./texts.js";

const MOST_BYTES = 1_000_000;
const at = (id) => document.getElementById(id);
const paste = at("paste");
const result = at("result");

let language = "en";
let fileName = "";
let latest = null;
let asked = 0;
let started = kind === "local";

const say = (key, values = {}) =>
  TEXTS[key][language].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const status = (text) => { at("status").textContent = text; };

function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-text]")) {
    const key = element.dataset.text === "privacy"
      ? (kind === "local" ? "privacyLocal" : "privacyStatic") : element.dataset.text;
    element.textContent = say(key);
  }
  const home = document.querySelector("meta[name=didact-home]").content;
  at("home").hidden = home === "";
  at("home").href = chosen === "zh" ? home.replace(/\.html$/, ".zh-CN.html") : home;
  document.title = `didact · ${say("tagline")}`;
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  }
  at("examples").replaceChildren(...EXAMPLES.map((example) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "example";
    button.textContent = example.name[language];
    button.addEventListener("click", () => { fileName = ""; paste.value = example.code; explain(); });
    return button;
  }));
}

// The answer to another text must not stand below the sentence that there is none to this one.
function nothing(text) {
  latest = null;
  result.hidden = true;
  at("download").disabled = true;
  status(text);
}

async function explain({ focus = true } = {}) {
  const turn = ++asked;
  status(say(started ? "working" : "loading"));
  result.setAttribute("aria-busy", "true");
  try {
    const found = await ask("answer", { text: paste.value, language, name: fileName });
    if (turn !== asked) return;
    started = true;
    if (found.error) {
      nothing(found.error);
      return;
    }
    latest = found;
    show(result, found, say, openRule);
    at("download").disabled = false;
    const counted = (severity) => {
      const count = found.findings.filter((one) => one.severity === severity).length;
      return say(`${severity}Count`, { count, s: count === 1 ? "" : "s" });
    };
    status(say("done", { errors: counted("error"), warnings: counted("warning"), infos: counted("info") }));
    if (focus) result.focus({ preventScroll: false });
  } catch (error) {
    if (turn === asked) {
      nothing(isUnreachable(error) ? say("unreachable") : isTooSlow(error) ? say("tooSlow") : say("failed", { reason: error.message }));
    }
  } finally {
    if (turn === asked) result.setAttribute("aria-busy", "false");
  }
}

async function openRule(code) {
  const page = await ask("rule", { code, language });
  at("rule-title").textContent = code;
  const body = at("rule-body");
  body.replaceChildren();
  if (page.error) body.append(page.error);
  let list = null;
  for (const block of page.blocks ?? []) {
    if (block.kind === "item") {
      if (list === null) { list = document.createElement("ul"); body.append(list); }
      list.append(sentence("li", block.text));
      continue;
    }
    list = null;
    const tag = { heading: block.level === 1 ? "h3" : "h4", text: "p" }[block.kind];
    body.append(block.kind === "code" ? make("pre", { tabindex: "0" }, block.text) : sentence(tag, block.text));
  }
  at("rule").showModal();
}

async function decode(file) {
  if (file.size > MOST_BYTES) throw new Error(say("tooLarge", { size: file.size.toLocaleString("en") }));
  const bytes = new Uint8Array(await file.arrayBuffer());
  const marks = { "255,254": "utf-16le", "254,255": "utf-16be" };
  const marked = marks[String(bytes.slice(0, 2))];
  for (const name of marked ? [marked] : ["utf-8", "gb18030"]) {
    try {
      const text = new TextDecoder(name, { fatal: true }).decode(bytes);
      if (!text.includes("\0")) return text;
    } catch { /* the next one */ }
  }
  throw new Error(say("binary"));
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([latest.markdown], { type: "text/markdown" }));
  link.download = "didact.md";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function share() {
  if (!paste.value.trim()) {
    status(say("nothingToShare"));
    return;
  }
  history.replaceState(null, "", `#${await pack(paste.value, language)}`);
  try {
    await navigator.clipboard.writeText(location.href);
    status(say("linkCopied"));
  } catch {
    status(say("linkShown"));
  }
}

async function begin() {
  let shared = null;
  if (location.hash.length > 1) {
    try { shared = await unpack(location.hash.slice(1)); } catch { shared = undefined; }
  }
  const preferred = (navigator.languages[0] ?? "en").toLowerCase().startsWith("zh") ? "zh" : "en";
  speak(shared?.language === "zh" || shared?.language === "en" ? shared.language : preferred);
  if (shared === undefined) status(say("linkBroken"));
  if (shared) { paste.value = shared.text; await explain({ focus: false }); }
  else warmUp().catch(() => {});
}

at("explain").addEventListener("click", () => explain());
at("share").addEventListener("click", share);
at("download").addEventListener("click", download);
at("rule-close").addEventListener("click", () => at("rule").close());
paste.addEventListener("input", () => { fileName = ""; });
paste.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); explain(); }
});
async function open(file) {
  try {
    paste.value = await decode(file);
    fileName = file.name;
    await explain();
  } catch (error) { status(error.message); }
}

at("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (file) open(file);
});
// Without this the browser would leave the page for the file that was dropped on it.
const holdsFiles = (event) => [...event.dataTransfer.types].includes("Files");
document.addEventListener("dragover", (event) => { if (holdsFiles(event)) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  if (event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    speak(button.dataset.language);
    if (asked > 0) explain({ focus: false });
  });
}
window.addEventListener("hashchange", begin);
begin();
