// The frame: what this browser prefers, drawers and menus, the list by keyboard, opening and finishing cases.
"use strict";
(() => {
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const { text, say, toast, lastToast } = window.heard;
  const wide = matchMedia("(min-width: 1240px)");
  const phone = matchMedia("(max-width: 719.98px)");

  // Preferences live in cookies, so that the server paints the first frame right

  function prefer(name, value) {
    if (value) root.dataset[name] = value;
    else delete root.dataset[name];
    const age = value ? 31536000 : 0;
    const safe = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `heard_${name}=${value}; path=/; max-age=${age}; samesite=lax${safe}`;
  }

  function switchTheme() {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    prefer("theme", (root.dataset.theme ?? system) === "dark" ? "light" : "dark");
  }

  function switchDensity() {
    prefer("density", root.dataset.density === "compact" ? "" : "compact");
    showState();
  }

  function showState() {
    one("[data-density-switch]")?.setAttribute("aria-pressed", String(root.dataset.density === "compact"));
    const open = wide.matches ? root.dataset.person !== "closed" : root.dataset.drawer === "person";
    one("[data-person-switch]")?.setAttribute("aria-expanded", String(open));
  }

  // Drawers: the navigation and the person, where there is no room for them

  let opener = null;

  function openDrawer(name) {
    const drawer = document.getElementById(name);
    if (!drawer) return;
    opener = document.activeElement;
    root.dataset.drawer = name;
    const shade = document.createElement("div");
    shade.className = "drawer-shade";
    shade.dataset.drawerClose = "";
    document.body.append(shade);
    for (const other of outside(name)) other.inert = true;
    one("a, button, input", drawer)?.focus({ preventScroll: true });
    showState();
  }

  function closeDrawer() {
    const name = root.dataset.drawer;
    if (!name) return false;
    delete root.dataset.drawer;
    one(".drawer-shade")?.remove();
    for (const other of outside(name)) other.inert = false;
    opener?.focus({ preventScroll: true });
    showState();
    return true;
  }

  const outside = (name) =>
    name === "person" ? all("#navigation, #list, #thread, .bottom-bar") : all("#content, .bottom-bar");

  function switchPerson() {
    if (!document.getElementById("person")) return;
    if (wide.matches) prefer("person", root.dataset.person === "closed" ? "" : "closed");
    else if (!closeDrawer()) openDrawer("person");
    showState();
  }

  wide.addEventListener("change", closeDrawer);

  // Menus

  const openMenus = () => all("details[data-menu][open]");

  function closeMenus(except) {
    const open = openMenus().filter((menu) => !menu.contains(except));
    for (const menu of open) menu.open = false;
    return open;
  }

  function moveInMenu(menu, event) {
    const items = all(".menu-item", menu);
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || !items.length) return;
    event.preventDefault();
    items[(to + items.length) % items.length].focus();
  }

  // The list: one row is in the tab order, j and k walk, opening leaves the focus where it is

  const rows = () => all("#rows .row");
  const currentRow = () => one("#rows .row[aria-current]");
  const openCase = () => one("#thread")?.dataset.case;
  let opening = 0;

  function rove() {
    const here = rows();
    const stop = currentRow() ?? here[0];
    for (const row of here) row.tabIndex = row === stop ? 0 : -1;
  }

  function choose(row) {
    currentRow()?.removeAttribute("aria-current");
    row?.setAttribute("aria-current", "true");
    rove();
  }

  function chooseOpenCase() {
    choose(one(`#rows .row[data-case="${CSS.escape(openCase() ?? "")}"]`));
  }

  function walk(step) {
    const here = rows();
    if (!here.length) return;
    const at = here.indexOf(here.includes(document.activeElement) ? document.activeElement : currentRow());
    const row = here[Math.max(0, Math.min(here.length - 1, at + step))];
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    for (const other of here) other.tabIndex = other === row ? 0 : -1;
    clearTimeout(opening);
    if (phone.matches) return;
    choose(row);
    // Walking fast past ten rows opens the one walked to, not all ten.
    opening = setTimeout(() => row.isConnected && row.click(), 90);
  }

  // A pane that loads: keys wait for it, and it never lands on somebody who is typing

  let loading = false;
  let wanted = null;
  let typed = false;

  const isPane = (event) => event.detail.ctx?.target?.id === "pane";

  document.addEventListener("htmx:before:request", (event) => {
    if (!isPane(event)) return;
    loading = true;
    typed = false;
    wanted = null;
    const row = event.detail.ctx.sourceElement.closest?.(".row");
    if (row) choose(row);
  });

  document.addEventListener("input", (event) => {
    if (loading && event.target.closest("heard-composer")) typed = true;
  });

  document.addEventListener("htmx:before:swap", (event) => {
    if (!isPane(event) || !typed) return;
    event.preventDefault();
    chooseOpenCase();
  });

  document.addEventListener("htmx:finally:request", (event) => {
    if (isPane(event)) loading = false;
  });

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx?.target?.id === "app") return arrived();
    if (isPane(event)) paneArrived();
    showState();
    return undefined;
  });

  function paneArrived() {
    closeDrawer();
    const main = one(".inbox");
    const title = one("#thread-title")?.textContent.trim();
    if (title) document.title = document.title.replace(/^.* · /, () => `${title} · `);
    main.dataset.open = openCase() ? "thread" : "list";
    const row = currentRow();
    row?.classList.remove("is-unread");
    one(".row-first .visually-hidden", row ?? document.createElement("i"))?.remove();
    toEnd();
    if (phone.matches) one(".back-link")?.focus({ preventScroll: true });
    const then = wanted;
    wanted = null;
    then?.();
  }

  function toEnd() {
    // On a low screen the thread scrolls as a whole, composer included.
    for (const scroll of all("#thread, #thread-scroll")) scroll.scrollTop = scroll.scrollHeight;
  }

  const whenLoaded = (act) => {
    if (loading) wanted = act;
    else act();
  };

  function back(link) {
    clearTimeout(opening);
    one(".inbox").dataset.open = "list";
    history.pushState({ htmx: true }, "", link.href);
    (currentRow() ?? rows()[0])?.focus();
  }

  // Done: act first, let it be undone, and put everything back if the server says no

  async function finish(form, submitter) {
    const id = openCase();
    const row = one(`#rows .row[data-case="${CSS.escape(id)}"]`);
    const item = row?.parentElement;
    const next = item?.nextElementSibling;
    const body = new FormData(form, submitter ?? form.querySelector("button"));
    const neighbour = one(".row", next ?? document.createElement("i")) ?? one(".row", item?.previousElementSibling ?? document.createElement("i"));
    const restore = () => {
      if (!item) return;
      document.getElementById("rows").insertBefore(item, next?.isConnected ? next : null);
      count(1);
      rove();
    };
    if (item) {
      item.remove();
      count(-1);
    }
    if (phone.matches) back(one(".back-link"));
    else if (neighbour) {
      if (document.activeElement === document.body || form.contains(document.activeElement)) neighbour.focus();
      neighbour.click();
    }
    const answer = await post(form.action, body);
    if (!answer.ok) {
      restore();
      toast(answer.problem ?? text(answer.status ? "refused" : "unreachable"), { kind: "error" });
      return;
    }
    const detail = answer.trigger["heard:toast"] ?? {};
    if (detail.text) toast(detail.text, { undoUrl: detail.undo_url, undo: restore });
    if (!neighbour) await staysOpen();
  }

  // A case that stands in no list has no neighbour: it stays, and says that it is done.
  async function staysOpen() {
    if (one("#thread-head")?.contains(document.activeElement)) one("#thread-scroll").focus({ preventScroll: true });
    for (const [region, swap] of [["messages", "innerMorph"], ["thread-head", "outerHTML"]]) {
      const source = document.getElementById(region);
      if (source) await window.htmx.ajax("GET", location.href, { source, target: `#${region}`, swap });
    }
  }

  async function post(url, body) {
    try {
      const headers = { "HX-Request": "true", "HX-Target": "header#thread-head" };
      const response = await fetch(url, { method: "POST", body: new URLSearchParams(body), headers });
      return { ok: response.ok, status: response.status, problem: problem(response.headers), trigger: JSON.parse(response.headers.get("HX-Trigger") ?? "{}") };
    } catch {
      return { ok: false, status: 0, trigger: {} };
    }
  }

  function count(change) {
    const figure = one("[data-count]");
    if (figure && /^\d+$/.test(figure.textContent)) figure.textContent = Math.max(0, Number(figure.textContent) + change);
  }

  // What goes wrong anywhere else is said where it is seen

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status === 422 || ctx.sourceElement?.closest?.("heard-composer")) return;
    if (isPane(event)) chooseOpenCase();
    toast(problem(ctx.response.headers) ?? text("refused"), { kind: "error" });
  });

  // The server's sentence travels in a header, its letters beyond ASCII as character references.
  function problem(headers) {
    const sentence = headers?.get("X-Heard-Problem");
    return sentence?.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
  }

  document.addEventListener("htmx:error", (event) => {
    const source = event.detail.ctx?.sourceElement;
    if (!source || source.closest?.("heard-composer") || source.id === "messages") return;
    if (isPane(event)) chooseOpenCase();
    toast(text("unreachable"), { kind: "error" });
  });

  // Pointer

  const clicks = [
    ["[data-theme-switch]", switchTheme],
    ["[data-density-switch]", switchDensity],
    ["[data-person-switch]", switchPerson],
    ["[data-person-open]", () => (wide.matches ? prefer("person", "") : openDrawer("person"), showState())],
    ["[data-drawer-open]", (link) => openDrawer(link.dataset.drawerOpen)],
    ["[data-drawer-close]", closeDrawer],
    ["[data-back]", back],
    ["[data-shortcuts]", () => keys["?"]()],
  ];

  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    for (const [selector, act] of clicks) {
      const found = event.target.closest(selector);
      if (!found) continue;
      event.preventDefault();
      closeMenus();
      act(found);
      return;
    }
  });

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-done], [data-away]")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      closeMenus();
      finish(event.target, event.submitter);
    } else closeMenus();
  }, true);

  // Keys: one letter, never in a field, never with a modifier, never over a dialog

  const press = (selector) => one(selector)?.click();
  const compose = (mode) => one("heard-composer")?.compose?.(mode);
  const keys = {
    j: () => walk(1),
    k: () => walk(-1),
    r: () => whenLoaded(() => compose("reply")),
    n: () => whenLoaded(() => compose("note")),
    e: () => whenLoaded(() => press("[data-done] button")),
    a: () => whenLoaded(() => {
      press("#assign > summary");
      one("#assign .menu-item")?.focus();
    }),
    h: () => whenLoaded(() => {
      press("#snooze > summary");
      one("#snooze .menu-item")?.focus();
    }),
    p: switchPerson,
    z: () => lastToast()?.takeBack(),
    "/": () => {
      if (getComputedStyle(document.getElementById("navigation")).visibility === "hidden") openDrawer("navigation");
      one("[data-key-search]")?.focus();
    },
    "?": () => document.getElementById("shortcuts")?.showModal(),
  };

  function escape(event) {
    const [menu] = closeMenus();
    if (menu) return one("summary", menu).focus();
    if (closeDrawer()) return undefined;
    if (event.target.closest?.("heard-composer, [data-key-search]")) (currentRow() ?? rows()[0] ?? document.body).focus();
    return undefined;
  }

  const inField = (element) =>
    element.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape" && !one("dialog[open]")) return void escape(event);
    const menu = event.target.closest?.("details[data-menu][open]");
    if (menu && !inField(event.target)) return void moveInMenu(menu, event);
    if (event.ctrlKey || event.metaKey || event.altKey || inField(event.target) || one("dialog[open]")) return;
    const inList = event.target.closest?.("#rows");
    const act = keys[event.key] ?? (inList && { ArrowDown: keys.j, ArrowUp: keys.k, Home: () => walk(-1e6), End: () => walk(1e6) }[event.key]);
    if (!act || root.dataset.keys === "off") return;
    event.preventDefault();
    act();
  });

  // Times that say "8m" go on being true

  function refreshTimes() {
    const now = Date.now();
    const unit = (name, n) => new Intl.NumberFormat(root.lang, { style: "unit", unit: name, unitDisplay: "narrow" }).format(n);
    for (const time of all("time[data-ago]")) {
      const minutes = Math.floor((now - Date.parse(time.dateTime)) / 60000);
      if (minutes < 1 || minutes >= 1440) continue;
      const words = minutes < 60 ? unit("minute", minutes) : unit("hour", Math.floor(minutes / 60));
      if (time.textContent !== words) time.textContent = words;
    }
  }

  setInterval(() => document.hidden || refreshTimes(), 30000);

  function arrived() {
    chooseOpenCase();
    toEnd();
    showState();
  }

  arrived();
  root.dataset.ready = "1";
  Object.assign(window.heard, { problem, rove, chooseOpenCase, openCase, toEnd, say, keys, inField });
})();
