"use strict";
// A click on a heading sorts by its column: up, down, and as it was. What is undefined stays last.

const COUNT = /^(\d+)\/(\d+)/; // such as 3/10 [0.07, 0.65]
const NUMBER = /^(-?\d|–$|undefined|E undefined|not claimed|not tested)/;
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

function value(row, column) {
  const cell = row.cells[column];
  const text = cell.textContent;
  const [, hits, runs] = text.match(COUNT) ?? [];
  const number = runs ? hits / runs : Number.parseFloat(cell.dataset.order ?? text);
  return { number, text };
}

function compared(first, second, numeric) {
  if (numeric) {
    return first.number - second.number;
  }
  return first.text.localeCompare(second.text, "en", { numeric: true });
}

function sort(table, heading, original) {
  const column = heading.cellIndex;
  const order = NEXT[heading.getAttribute("aria-sort")];
  for (const other of table.tHead.rows[0].cells) {
    if (other.hasAttribute("aria-sort")) {
      other.setAttribute("aria-sort", other === heading ? order : "none");
    }
  }
  const rows = original.map((row) => ({ row, ...value(row, column) }));
  const numeric = heading.classList.contains("number") || rows.every((each) => NUMBER.test(each.text));
  const known = rows.filter((each) => !numeric || !Number.isNaN(each.number));
  const unknown = rows.filter((each) => numeric && Number.isNaN(each.number));
  if (order !== "none") {
    const sign = order === "ascending" ? 1 : -1;
    known.sort((first, second) => sign * compared(first, second, numeric));
    table.tBodies[0].append(...known.concat(unknown).map((each) => each.row));
  } else {
    table.tBodies[0].append(...original);
  }
}

for (const table of document.querySelectorAll("table.sortable")) {
  const original = [...table.tBodies[0].rows];
  for (const heading of table.tHead.rows[0].cells) {
    heading.querySelector("button")?.addEventListener("click", () => sort(table, heading, original));
  }
}
