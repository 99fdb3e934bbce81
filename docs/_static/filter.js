// A page with <div class="filter" data-label="..."> gets a box that hides the rows of its tables
// without all the words typed, and the headings that are left without a row.
const place = document.querySelector("div.filter");
if (place) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  const count = document.createElement("output");
  box.type = "search";
  box.autocomplete = "off";
  box.spellcheck = false;
  label.append(place.dataset.label, box);
  place.append(label, count);
  const rows = (section) => section.querySelectorAll(
    ":scope > .table-wrapper tbody tr, :scope > table tbody tr");
  const sections = [...document.querySelectorAll("section section")].filter(
    (section) => rows(section).length);
  const narrow = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const section of sections) {
      let left = 0;
      const title = section.querySelector("h2, h3").textContent.toLowerCase();
      for (const row of rows(section)) {
        const text = `${row.textContent.toLowerCase()} ${title}`;
        row.hidden = !words.every((word) => text.includes(word));
        left += row.hidden ? 0 : 1;
      }
      section.hidden = left === 0;
      shown += left;
    }
    count.textContent = words.length ? String(shown) : "";
  };
  box.addEventListener("input", narrow);
}
