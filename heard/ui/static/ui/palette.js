// Every command by its name: what the page offers as a link, a button or a key, found by typing; and the two-key
// ways to the main pages.
"use strict";
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const MOST = 60;
  const SECOND_KEY_MS = 1500;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  const none = dialog.querySelector("[data-none]");
  const { keys } = window.heard;
  // What a key needs to do anything; keys that walk are for hands that are on the list already.
  const needs = { r: "heard-composer", n: "heard-composer", e: "[data-done]", h: "#snooze", a: "#assign", p: "#person", "/": "[data-key-search]", z: "#toasts > *", "?": "#shortcuts" };
  const places = ["#thread-head .menu-list button", "#navigation .navigation-item", "#navigation .menu-list > *", "#list .chips a", ".settings-side a", ".composer-modes input:enabled"];
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  let shown = [];
  let at = 0;

  const plain = (words) => words.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();

  // Its own words, without its key, its count and what is only drawn.
  function wordsOf(element) {
    const copy = (element.labels?.[0] ?? element).cloneNode(true);
    for (const part of copy.querySelectorAll("kbd, .navigation-count, svg:not([aria-label])")) part.remove();
    const label = copy.textContent.trim() || copy.querySelector("[aria-label]")?.getAttribute("aria-label") || "";
    let title = element;
    while (title && !title.matches(".menu-title")) title = title.previousElementSibling;
    return (title ? `${title.textContent.trim()}: ${label}` : label).replace(/\s+/g, " ");
  }

  function offered() {
    const byKey = [...document.querySelectorAll("#shortcuts dt")]
      .filter((term) => term.children.length === 1 && needs[term.textContent] && document.querySelector(needs[term.textContent]))
      .map((term) => ({ label: term.nextElementSibling.textContent, key: term.textContent, run: keys[term.textContent] }));
    const byPlace = places
      .flatMap((place) => [...document.querySelectorAll(place)])
      .map((element) => (element.matches("form") ? element.querySelector("button") : element))
      .filter((element) => element && !element.closest("[hidden]") && !element.matches("[data-palette]"))
      .map((element) => ({ label: wordsOf(element), key: "", run: () => element.click() }));
    const seen = new Set();
    return [...byKey, ...byPlace].filter(({ label }) => label && !seen.has(label) && seen.add(label));
  }

  function find(typed) {
    const wanted = plain(typed).split(/\s+/).filter(Boolean);
    const rank = (label) => (plain(label).startsWith(wanted[0] ?? "") ? 0 : 1);
    return offered()
      .filter(({ label }) => wanted.every((word) => plain(label).includes(word)))
      .sort((one, other) => rank(one.label) - rank(other.label))
      .slice(0, MOST);
  }

  function draw() {
    shown = find(input.value);
    at = 0;
    list.replaceChildren(...shown.map(option));
    none.hidden = shown.length > 0;
    input.setAttribute("aria-expanded", String(shown.length > 0));
    choose(0);
  }

  function option({ label, key }, place) {
    const made = document.createElement("li");
    made.id = `palette-${place}`;
    made.className = "menu-item";
    made.role = "option";
    made.dir = "auto";
    made.append(label);
    if (key) made.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    made.addEventListener("mousemove", () => at !== place && choose(place));
    made.addEventListener("click", () => run(place));
    return made;
  }

  function choose(place) {
    at = shown.length ? (place + shown.length) % shown.length : 0;
    for (const [number, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(number === at));
    const chosen = list.children[at];
    if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
    else input.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  // Closed first: what it does may want the focus, which a dialog that closes gives back.
  function run(place) {
    const command = shown[place];
    if (!command) return;
    dialog.close();
    setTimeout(command.run);
  }

  function open() {
    if (document.querySelector("dialog[open]")) return;
    input.value = "";
    dialog.showModal();
    draw();
  }

  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(at + step);
    else if (event.key === "Enter" && !event.isComposing) run(at);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.addEventListener("click", (event) => event.target.closest("[data-palette]") && open());

  // Two keys: g, then where to

  const ways = { i: "/inbox/", m: "/inbox/mine/", s: '#navigation a[href^="/settings/"]' };
  let going = 0;

  function go(key) {
    const way = ways[key];
    const url = way?.startsWith("/") ? way : way && document.querySelector(way)?.href;
    if (url) location.assign(url);
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if ((mac ? event.metaKey : event.ctrlKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (dialog.open) dialog.close();
        else open();
        return;
      }
      const free = !event.ctrlKey && !event.metaKey && !event.altKey && !window.heard.inField(event.target);
      if (!free || document.documentElement.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
      if (performance.now() < going) {
        going = 0;
        event.preventDefault();
        event.stopImmediatePropagation();
        go(event.key);
      } else if (event.key === "g") going = performance.now() + SECOND_KEY_MS;
    },
    true,
  );
})();
