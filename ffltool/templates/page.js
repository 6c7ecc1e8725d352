"use strict";
document.documentElement.classList.add("scripted");

function button(label, onclick) {
  const made = document.createElement("button");
  made.type = "button";
  made.append(...label);
  made.addEventListener("click", onclick);
  return made;
}

// tables: the heading of a column sorts by it

const names = new Intl.Collator(undefined, { numeric: true });
const number = (text) => Number(text.replace("−", "-").replace("∞", "Infinity").replace("–", "NaN"));

function sort(table, column) {
  const heads = [...table.tHead.rows[0].cells];
  const turn = heads[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const numbers = heads[column].classList.contains("n");
  const rows = [...table.tBodies[0].rows].map((row) => {
    const text = row.cells[column].textContent.trim();
    return [numbers ? number(text) : text, row];
  });
  const compare = numbers
    ? ([a], [b]) => isNaN(a) - isNaN(b) || turn * (a - b) || 0 // what is no number stays below
    : ([a], [b]) => turn * names.compare(a, b);
  table.tBodies[0].append(...rows.sort(compare).map(([, row]) => row));
  for (const head of heads) head.removeAttribute("aria-sort");
  heads[column].setAttribute("aria-sort", turn < 0 ? "descending" : "ascending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.append(button([...head.childNodes], () => sort(table, column)));
  });
}

// images: each opens in a dialog, which Escape closes

const dialog = document.createElement("dialog");
const large = new Image();
const caption = document.createElement("p");
const controls = document.createElement("p");
const images = [...document.querySelectorAll("main figure img")];
let place = 0;

function show(index) {
  place = (index + images.length) % images.length;
  const image = images[place];
  const isPicture = image.closest(".panels") !== null;
  const fit = Math.min((0.9 * innerWidth) / image.naturalWidth, (0.75 * innerHeight) / image.naturalHeight);
  large.src = image.currentSrc;
  large.alt = image.alt;
  large.width = image.naturalWidth * (isPicture && fit > 1 ? Math.floor(fit) : fit);
  large.classList.toggle("pixels", isPicture && fit > 1);
  caption.textContent = image.alt;
}

images.forEach((image, index) => {
  const whole = image.closest("picture") || image;
  const zoom = button([], () => {
    show(index);
    dialog.showModal();
  });
  zoom.className = "zoom";
  zoom.setAttribute("aria-label", "Enlarge: " + image.alt);
  whole.replaceWith(zoom);
  zoom.append(whole);
});

const close = button(["Close"], () => dialog.close());
close.autofocus = true;
controls.append(
  button(["← Previous"], () => show(place - 1)),
  close,
  button(["Next →"], () => show(place + 1)),
);
dialog.setAttribute("aria-label", "Enlarged image");
dialog.append(large, caption, controls);
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target === large) dialog.close();
});
dialog.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) show(place + step);
});
document.body.append(dialog);
