// From an answer to elements. Every piece of the user's text is set with textContent.
export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

const section = (id, title, ...children) =>
  make("section", { id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, title), ...children);

// `code` in a sentence stands in a code element.
export const sentence = (tag, text) =>
  make(tag, {}, ...text.split(/(`[^`\n]+`)/).map((part) =>
    part.length > 2 && part.startsWith("`") && part.endsWith("`") ? make("code", {}, part.slice(1, -1)) : part));

const paragraphs = (text) => text.split("\n").filter(Boolean).map((line) => sentence("p", line));

// A line of code with what is known of its values: the innermost value wins.
function codeLine(text, values) {
  const best = new Array(text.length).fill(null);
  for (const value of [...values].sort((a, b) => (b.end - b.start) - (a.end - a.start))) {
    for (let column = value.start; column < Math.min(value.end, text.length); column += 1) best[column] = value;
  }
  const code = make("code", {});
  for (let start = 0; start < text.length;) {
    let end = start + 1;
    while (end < text.length && best[end] === best[start]) end += 1;
    const part = text.slice(start, end);
    code.append(best[start] === null || !part.trim() ? part : valueMark(part, best[start]));
    start = end;
  }
  return code;
}

let tips = 0;
function valueMark(part, value) {
  tips += 1;
  const tip = make("span", { class: "tip", role: "tooltip", id: `tip-${tips}` }, value.facts.join(" · "));
  return make("span", { class: "value", tabindex: "0", "aria-describedby": tip.id }, part, tip);
}

// A button with a finding's code that opens the rule's page: the mark in the margin of its line.
function findingMark(finding, say, openRule) {
  const title = `${finding.code} · ${say(finding.severity)}`;
  return make("div", { class: `finding ${finding.severity}` },
    make("button", { type: "button", class: "code", "aria-label": `${title}. ${say("rulePage", { code: finding.code })}`, onclick: () => openRule(finding.code) }, title));
}

function goTo(line) {
  const row = document.getElementById(`line-${line}`);
  row.scrollIntoView({ block: "center" });
  row.focus({ preventScroll: true });
}

function findings(found, say, openRule) {
  return make("ul", { class: "list" }, ...found.findings.map((finding) => {
    const mark = findingMark(finding, say, openRule);
    mark.append(" ", make("button", { type: "button", class: "where", onclick: () => goTo(finding.line) }, say("line", { line: finding.line })), ...paragraphs(finding.message));
    return make("li", {}, mark);
  }));
}

function lines(found, say, openRule) {
  const list = make("ol", { class: "lines" });
  const said = new Map();
  for (const statement of found.statements) {
    said.set(statement.line, [...(said.get(statement.line) ?? []), statement]);
  }
  found.code.forEach((text, index) => {
    const number = index + 1;
    const here = found.findings.filter((finding) => finding.line === number);
    const worst = ["error", "warning", "info"].find((severity) => here.some((one) => one.severity === severity));
    const values = found.values.filter((value) => value.line === number);
    const row = make("li", { class: worst ?? "", value: String(number), id: `line-${number}`, tabindex: "-1" },
      make("div", { class: "source" },
        make("span", { class: "number", "aria-hidden": "true" }, String(number)),
        make("pre", {}, codeLine(text, values))),
      make("div", { class: "said" },
        ...(said.get(number) ?? []).flatMap((statement) => paragraphs(statement.text)),
        ...here.map((finding) => findingMark(finding, say, openRule))));
    list.append(row);
  });
  return list;
}

async function copy(text, button, say) {
  const label = button.textContent;
  try { await navigator.clipboard.writeText(text); button.textContent = say("copied"); } catch { return; }
  setTimeout(() => { button.textContent = label; }, 1500);
}

function cell(kind, text) {
  const mark = { removed: "−", added: "+" }[kind] ?? " ";
  return make("td", { class: text === null ? "none" : kind },
    text === null ? "" : make("pre", {}, make("span", { class: "mark", "aria-hidden": "true" }, mark), text));
}

function sideBySide(found, say) {
  const head = make("tr", {}, make("th", { scope: "col" }, say("before")), make("th", { scope: "col" }, say("after")));
  const rows = found.diff.map((row) => make("tr", {},
    cell(row.kind === "same" ? "same" : "removed", row.left), cell(row.kind === "same" ? "same" : "added", row.right)));
  return make("table", { class: "diff" }, make("thead", {}, head), make("tbody", {}, ...rows));
}

function oneColumn(found, say) {
  const rows = [];
  let added = [];
  const flush = () => { rows.push(...added); added = []; };
  for (const row of found.diff) {
    if (row.kind === "same") { flush(); rows.push(make("tr", {}, cell("same", row.left))); continue; }
    if (row.left !== null) rows.push(make("tr", {}, cell("removed", row.left)));
    if (row.right !== null) added.push(make("tr", {}, cell("added", row.right)));
  }
  flush();
  const head = make("tr", {}, make("th", { scope: "col" }, `${say("before")} → ${say("after")}`));
  return make("table", { class: "diff" }, make("thead", {}, head), make("tbody", {}, ...rows));
}

function corrected(found, say) {
  const area = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${say("before")} → ${say("after")}` });
  const button = make("button", { type: "button" });
  let split = matchMedia("(min-width: 60rem)").matches;
  const draw = () => {
    area.replaceChildren(split ? sideBySide(found, say) : oneColumn(found, say));
    button.textContent = say(split ? "unified" : "split");
  };
  button.addEventListener("click", () => { split = !split; draw(); });
  draw();
  if (!found.changed) return [make("p", {}, say("unchanged"))];
  const copyButton = make("button", { type: "button", onclick: (event) => copy(found.corrected, event.currentTarget, say) }, say("copy"));
  return [
    make("div", { class: "actions" }, copyButton, button),
    area,
    ...found.choices.map((choice) => sentence("p", choice)),
  ];
}

function formula(found, say) {
  const { written, corrected } = found.formula;
  const verdict = found.formula.verdict.filter((line) => !found.summary.join("\n").includes(line.replace(/[.。]$/, "")));
  const same = JSON.stringify(written) === JSON.stringify(corrected);
  const group = (title, losses) => (losses.length
    ? [make("h3", {}, title), ...losses.flatMap((loss) => [
      make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title }, mathOf(loss.math)),
      make("p", { class: "plain" }, loss.text)])] : []);
  return [
    ...group(say("written"), written),
    ...(same ? [] : group(say("correctedFormula"), corrected)),
    ...verdict.flatMap(paragraphs),
  ];
}

function roles(found, say) {
  if (!found.roles.length) return null;
  const rows = found.roles.map((one) => make("tr", {},
    make("th", { scope: "row" }, make("code", {}, one.name)), make("td", {}, one.role), sentence("td", one.reason)));
  return section("roles", say("roles"), make("table", { class: "roles" }, make("tbody", {}, ...rows)));
}

// MathML from nested arrays [tag, attributes, ...children], made by the structured formula.
const MATH = "http://www.w3.org/1998/Math/MathML";
function mathOf(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const [tag, attributes, ...children] = tree;
  const element = document.createElementNS(MATH, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map(mathOf));
  return element;
}

function summary(found, say) {
  const lines = found.summary ?? [];
  const answers = found.answers ?? [];
  return [
    lines.length ? section("summary", say("summary"), ...lines.map((line) => sentence("p", line))) : null,
    answers.length ? section("answer", say("answerHeading"), ...answers.flatMap((one) => [make("h3", {}, one.question), ...paragraphs(one.answer)])) : null,
  ];
}

export function show(place, found, say, openRule) {
  const listed = found.findings.length
    ? findings(found, say, openRule)
    : make("p", {}, say("noFindings"));
  const folded = (title, ...children) => make("details", {}, make("summary", {}, title), ...children);
  place.replaceChildren(...[
    ...summary(found, say),
    section("findings", say("findings"), listed),
    section("corrected", say("corrected"), ...corrected(found, say)),
    found.formula.written.length || found.formula.verdict.length
      ? section("formula", say("formula"), ...formula(found, say)) : null,
    roles(found, say),
    section("lines", say("lines"), make("p", { class: "hint" }, say("values")), lines(found, say, openRule)),
    found.questions.length
      ? section("questions", say("questions"), ...found.questions.map((one) => folded(one.question, ...paragraphs(one.answer)))) : null,
    found.guesses.length
      ? section("guesses", say("guesses"), make("ul", {}, ...found.guesses.map((guess) => sentence("li", guess)))) : null,
  ].filter(Boolean));
  place.hidden = false;
}
