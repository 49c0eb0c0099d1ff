// What happens elsewhere appears here: one stream for all tabs of a browser, and nothing that is in use moves.
"use strict";
(() => {
  const HEARTBEAT_MS = 40000;
  const BANNER_MS = 5000;
  const REFRESH_MS = 1000;
  const { text, say } = window.heard;
  const tell = (detail) => document.dispatchEvent(new CustomEvent("heard:changed", { detail }));

  // <heard-live src="/events" position="17" key="member-3">
  class Live extends HTMLElement {
    connectedCallback() {
      this.position = this.getAttribute("position") ?? "";
      this.connected = false;
      this.wasConnected = false;
      this.attempt = 0;
      this.ended = new AbortController();
      const { signal } = this.ended;
      this.lostTimer = setTimeout(() => this.banner(true), BANNER_MS);
      if (navigator.locks && window.BroadcastChannel) this.share(signal);
      else this.alone(signal);
      // The browser often knows first that the line is down: a dead stream stays silent until the watchdog.
      window.addEventListener("offline", () => (this.source ? this.lost() : this.state(false)), { signal });
      window.addEventListener("online", () => this.again(), { signal });
      window.addEventListener("pageshow", (event) => event.persisted && tell({ list: true, resync: true, cases: [] }), { signal });
    }

    disconnectedCallback() {
      this.ended.abort();
      clearTimeout(this.lostTimer);
      this.close();
      this.channel?.close();
    }

    // Whoever holds the lock listens for all; when that tab goes, the next in line takes over.
    share(signal) {
      const name = `heard-live:${this.getAttribute("key") ?? ""}`;
      this.channel = new BroadcastChannel(name);
      this.channel.addEventListener("message", ({ data }) => this.heard(data));
      this.channel.postMessage({ type: "who" });
      navigator.locks.request(name, { signal }, () => new Promise((release) => {
        this.leads = true;
        signal.addEventListener("abort", release);
        this.open();
      })).catch(() => undefined);
    }

    // Without locks (plain http on a local network) every visible tab listens for itself.
    alone(signal) {
      this.leads = true;
      const look = () => {
        if (document.hidden) this.close();
        else this.open();
      };
      document.addEventListener("visibilitychange", look, { signal });
      look();
    }

    open() {
      this.close();
      const address = new URL(this.getAttribute("src"), location.href);
      if (this.position) address.searchParams.set("position", this.position);
      const source = new EventSource(address);
      this.source = source;
      this.beat();
      source.addEventListener("open", () => this.publish({ type: "state", connected: true }));
      source.addEventListener("error", () => this.lost());
      for (const kind of ["ping", "message"]) source.addEventListener(kind, () => this.publish({ type: "state", connected: true }));
      for (const kind of ["changed", "resync"]) {
        source.addEventListener(kind, (event) => {
          const detail = JSON.parse(event.data || "{}");
          this.publish({ type: "state", connected: true });
          this.publish({ type: "changed", position: event.lastEventId, detail: { ...detail, resync: kind === "resync" || Boolean(detail.all) } });
        });
      }
    }

    close() {
      clearTimeout(this.watchdog);
      clearTimeout(this.retry);
      this.source?.close();
      this.source = undefined;
    }

    // Silence is not peace: a dead line often says nothing at all.
    beat() {
      clearTimeout(this.watchdog);
      this.watchdog = setTimeout(() => this.lost(), HEARTBEAT_MS);
    }

    lost() {
      this.publish({ type: "state", connected: false });
      this.close();
      const wait = Math.min(30000, 1000 * 2 ** this.attempt) * (0.5 + Math.random() / 2);
      this.attempt += 1;
      this.retry = setTimeout(() => this.open(), wait);
    }

    again() {
      this.attempt = 0;
      if (this.leads && !this.source && !document.hidden) this.open();
    }

    publish(message) {
      this.channel?.postMessage(message);
      this.heard(message, true);
    }

    heard(message, own = false) {
      if (message.type === "who" && this.leads && !own) {
        this.channel.postMessage({ type: "state", connected: this.connected, position: this.position });
      } else if (message.type === "state") {
        this.state(message.connected);
        // Told to the others while this page was on its way: it is neither on it, nor told again.
        if (Number(message.position) > Number(this.position)) {
          this.position = message.position;
          tell({ list: true, resync: true, cases: [] });
        }
      } else if (message.type === "changed") {
        if (message.position) this.position = message.position;
        tell(message.detail);
      }
    }

    state(connected) {
      if (connected) {
        this.attempt = 0;
        this.beatOrWait();
        clearTimeout(this.lostTimer);
        this.lostTimer = undefined;
        this.banner(false);
        // Events may have been lost while the line was down: look again at what is open.
        if (!this.connected && this.wasConnected) tell({ list: true, resync: true, cases: [] });
        this.wasConnected = true;
      } else this.lostTimer ??= setTimeout(() => this.banner(true), BANNER_MS);
      this.connected = connected;
    }

    beatOrWait() {
      if (this.source) this.beat();
      else if (!this.leads) {
        clearTimeout(this.watchdog);
        this.watchdog = setTimeout(() => this.state(false), HEARTBEAT_MS + 10000);
      }
    }

    banner(shown) {
      const banner = document.getElementById("connection");
      if (!banner || banner.hidden !== shown) return;
      banner.hidden = !shown;
      if (shown) say(banner.textContent.trim());
    }
  }

  // The list

  const list = () => document.getElementById("list");
  const rows = () => document.getElementById("rows");
  const pill = () => document.getElementById("list-pill");
  let waiting = null;
  let listTimer = 0;
  let listRun = 0;

  function idle() {
    const scroll = document.getElementById("list-scroll");
    return scroll.scrollTop <= 24 && !scroll.matches(":hover") && !scroll.contains(document.activeElement);
  }

  function listSoon() {
    if (!list()) return;
    listTimer ||= setTimeout(() => {
      listTimer = 0;
      refreshList();
    }, REFRESH_MS);
  }

  async function fetchRegion(address) {
    const response = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "section#live" } });
    if (!response.ok) throw new Error(String(response.status));
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    return holder.content;
  }

  async function refreshList() {
    const run = ++listRun;
    try {
      const fresh = await fetchRegion(list().dataset.url);
      if (run !== listRun || !list()) return;
      counts(fresh);
      const news = [...fresh.querySelectorAll("#rows > li[id]")].filter((item) => !document.getElementById(item.id));
      if (idle()) return void arrange(fresh.getElementById("rows"));
      touchUp(fresh);
      waiting = news.length ? fresh.getElementById("rows") : null;
      pill().hidden = !news.length;
      pill().textContent = text("new", { n: news.length });
      if (news.length) say(text("arrived", { n: news.length }));
    } catch {
      // The banner tells of a line that is down; the next change or reconnect asks again.
    }
  }

  function counts(fresh) {
    for (const selector of ["[data-count]", "#views", ".chips"]) {
      const here = document.querySelector(selector);
      const there = fresh.querySelector(selector);
      if (here && there && !here.contains(document.activeElement) && here.innerHTML !== there.innerHTML) {
        here.replaceChildren(...there.cloneNode(true).childNodes);
      }
    }
  }

  // Rows that stay keep their place and their focus; only what they say changes.
  function touchUp(fresh) {
    for (const item of fresh.querySelectorAll("#rows > li[id]")) {
      const here = document.getElementById(item.id);
      if (here) reword(here.firstElementChild, item.firstElementChild);
    }
  }

  function reword(here, there) {
    const chosen = here.getAttribute("aria-current");
    if (here.innerHTML !== there.innerHTML) here.replaceChildren(...there.cloneNode(true).childNodes);
    here.className = chosen ? there.className.replace("is-unread", "").trim() : there.className;
  }

  function arrange(fresh) {
    const held = rows();
    const known = new Map([...held.children].map((item) => [item.id, item]));
    const first = known.size > 0;
    const wanted = [...fresh.children].map((item) => {
      const here = item.id && known.get(item.id);
      if (here?.firstElementChild.matches(".row")) reword(here.firstElementChild, item.firstElementChild);
      else if (first) item.classList.add("is-new");
      return here || item;
    });
    const arrived = wanted.filter((item) => !known.has(item.id));
    for (const item of [...held.children]) if (!wanted.includes(item)) item.remove();
    wanted.forEach((item, at) => {
      if (held.children[at] !== item) held.insertBefore(item, held.children[at] ?? null);
    });
    for (const item of arrived) window.htmx.process(item);
    waiting = null;
    pill().hidden = true;
    window.heard.chooseOpenCase();
    if (arrived.length && first) say(text("arrived", { n: arrived.length }));
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#list-pill") && waiting) {
      arrange(waiting);
      document.getElementById("list-scroll").scrollTop = 0;
      rows().querySelector(".row")?.focus({ preventScroll: true });
    }
    if (event.target.closest("#thread-pill")) {
      window.heard.toEnd();
      document.getElementById("thread-scroll").focus({ preventScroll: true });
    }
  });

  // The open case: its messages and its head, never its composer

  let threadTimer = 0;

  function threadSoon() {
    threadTimer ||= setTimeout(() => {
      threadTimer = 0;
      refreshThread();
    }, 150);
  }

  async function refreshThread() {
    const messages = document.getElementById("messages");
    if (!messages) return;
    const scroll = document.getElementById("thread-scroll");
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 48;
    const before = messages.querySelectorAll(".message").length;
    const { url } = messages.dataset;
    await window.htmx.ajax("GET", url, { source: messages, target: "#messages", swap: "innerMorph" });
    if (!messages.isConnected || messages.dataset.url !== url) return;
    const more = messages.querySelectorAll(".message").length > before;
    if (atEnd) window.heard.toEnd();
    else if (more) document.getElementById("thread-pill").hidden = false;
    if (more) say(text("newMessages"));
    const head = document.getElementById("thread-head");
    if (head && !head.contains(document.activeElement) && !head.querySelector("details[open]")) {
      await window.htmx.ajax("GET", url, { source: head, target: "#thread-head", swap: "outerHTML" });
    }
  }

  // Somebody may have opened a menu of the head while its news were on their way.
  document.addEventListener("htmx:before:swap", (event) => {
    const { target, sourceElement } = event.detail.ctx ?? {};
    if (target?.id !== "thread-head" || sourceElement !== target) return;
    if (target.contains(document.activeElement) || target.querySelector("details[open]")) event.preventDefault();
  });

  document.addEventListener("scroll", (event) => {
    const { target } = event;
    if (target.id !== "thread-scroll") return;
    if (target.scrollHeight - target.scrollTop - target.clientHeight < 48) document.getElementById("thread-pill").hidden = true;
  }, { capture: true, passive: true });

  document.addEventListener("heard:changed", ({ detail }) => {
    if (detail.list || detail.resync) listSoon();
    const open = window.heard.openCase();
    if (open && (detail.resync || (detail.cases ?? []).map(String).includes(open))) threadSoon();
  });

  customElements.define("heard-live", Live);
})();
