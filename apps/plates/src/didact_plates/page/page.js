// The page: photographs go to the server on this machine, what comes back is shown.

const TEXTS = {
  en: {
    lead: "Drop a photograph: the Chinese licence plates on it are found and read. Nothing leaves this machine.",
    ask: "Drop photographs here, or press to choose them",
    other: "中文",
    reading: (name) => `Reading ${name} …`,
    done: (count, ms) => `${count === 0 ? "No plate was found" : count === 1 ? "1 plate" : `${count} plates`}, ${ms} ms`,
    gone: "The program that serves this page has ended.",
    large: "The file is larger than 64 megabytes.",
    photograph: (name, count) => `${name}, with ${count} plates outlined`,
    plate: (text) => `The plate ${text}, cut out`,
    none: "No plate was found on this photograph.",
    sure: (value) => `${(100 * value).toFixed(1)} % sure`,
    rows: (rows) => (rows === 2 ? ", two rows" : ""),
    colours: { blue: "blue", yellow: "yellow", green: "green", white: "white", black: "black" },
    footer: "The models are trained on synthetic plates. A reading may be wrong: look at the plate that was cut out.",
  },
  zh: {
    lead: "拖入一张照片，即可找出并识别其中的中国车牌。任何内容都不会离开本机。",
    ask: "把照片拖到这里，或点击选择",
    other: "English",
    reading: (name) => `正在识别 ${name} …`,
    done: (count, ms) => `${count === 0 ? "没有找到车牌" : `${count} 个车牌`}，${ms} 毫秒`,
    gone: "提供本页面的程序已经退出。",
    large: "文件超过 64 MB。",
    photograph: (name, count) => `${name}，标出了 ${count} 个车牌`,
    plate: (text) => `裁出的车牌 ${text}`,
    none: "这张照片上没有找到车牌。",
    sure: (value) => `置信度 ${(100 * value).toFixed(1)} %`,
    rows: (rows) => (rows === 2 ? "，双层" : ""),
    colours: { blue: "蓝牌", yellow: "黄牌", green: "绿牌", white: "白牌", black: "黑牌" },
    footer: "模型用合成车牌训练。读数可能有误：请对照裁出的车牌。",
  },
};
const MOST_BYTES = 64_000_000;
const token = document.querySelector("meta[name=token]").content;
const at = (id) => document.getElementById(id);
let language = document.documentElement.lang === "zh" ? "zh" : "en";
const shown = []; // what was answered, the newest first
let waiting = Promise.resolve();

function make(tag, attributes = {}, ...children) {
  const space = ["svg", "polygon"].includes(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function outline(plate) {
  return make("polygon", { points: plate.corners.map(([x, y]) => `${100 * x},${100 * y}`).join(" ") });
}

function card(found) {
  const texts = TEXTS[language];
  if (found.error) return make("article", {}, make("p", { class: "problem" }, found.error));
  const picture = make("figure", {},
    make("img", { src: found.photograph, alt: texts.photograph(found.name, found.plates.length) }),
    make("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, ...found.plates.map(outline)));
  const plates = found.plates.map((plate) => make("li", { class: plate.colour },
    make("img", { src: plate.crop, alt: texts.plate(plate.text) }),
    make("strong", { translate: "no" }, plate.text),
    make("span", {}, `${texts.colours[plate.colour] ?? plate.colour}${texts.rows(plate.rows)}, ${texts.sure(plate.confidence)}`)));
  const size = make("small", {}, ` ${found.width} × ${found.height}, ${texts.done(found.plates.length, Math.round(found.milliseconds))}`);
  return make("article", {}, make("h2", {}, found.name, size), picture, plates.length ? make("ul", {}, ...plates) : make("p", {}, texts.none));
}

function show() {
  const texts = TEXTS[language];
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const name of ["lead", "ask", "footer"]) at(name).textContent = texts[name];
  at("language").textContent = texts.other;
  at("language").lang = language === "zh" ? "en" : "zh-CN";
  at("results").replaceChildren(...shown.map(card));
}

async function read(file) {
  if (file.size > MOST_BYTES) return { error: TEXTS[language].large };
  const headers = { "X-Plates-Token": token, "X-Language": language, "X-Name": encodeURIComponent(file.name) };
  try {
    const reply = await fetch("api/read", { method: "POST", headers, body: file });
    return await reply.json();
  } catch {
    return { error: TEXTS[language].gone };
  }
}

function take(files) {
  for (const file of files) {
    waiting = waiting.then(async () => {
      at("status").textContent = TEXTS[language].reading(file.name);
      const found = { name: file.name, ...(await read(file)) };
      shown.unshift(found);
      show();
      at("status").textContent = found.error ? "" : TEXTS[language].done(found.plates.length, Math.round(found.milliseconds));
    });
  }
}

at("file").addEventListener("change", (event) => {
  take([...event.target.files]);
  event.target.value = "";
});
at("drop").addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    at("file").click();
  }
});
at("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  at("status").textContent = "";
  show();
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
}
document.addEventListener("dragleave", () => at("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  take([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => take([...event.clipboardData.files]));
show();
