// Short messages that pass, with Undo; what is said to screen readers; counting down to a sending.
"use strict";
(() => {
  const SHOWN_MS = 8000;
  const MOST = 3;
  const texts = document.getElementById("texts")?.dataset ?? {};

  const text = (name, values = {}) =>
    (texts[name] ?? "").replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ""));

  let saying = 0;
  function say(sentence) {
    const announcer = document.getElementById("announcer");
    if (!announcer) return;
    announcer.textContent = "";
    cancelAnimationFrame(saying);
    saying = requestAnimationFrame(() => {
      announcer.textContent = sentence;
    });
  }

  function button(className, label) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = className;
    made.textContent = label;
    return made;
  }

  class Toast extends HTMLElement {
    connectedCallback() {
      if (this.dataset.alive) return;
      this.dataset.alive = "1";
      say(this.textContent);
      if (this.undo || this.dataset.undo) {
        const undo = button("toast-button", text("undo"));
        const key = document.createElement("kbd");
        key.textContent = "z";
        key.ariaHidden = "true";
        undo.addEventListener("click", () => this.takeBack());
        this.append(undo, key);
      }
      const close = button("toast-close", "×");
      close.ariaLabel = text("close");
      close.addEventListener("click", () => this.remove());
      this.append(close);
      // A toast waits while somebody points at it or has come to it by keyboard.
      for (const event of ["pointerenter", "focusin"]) this.addEventListener(event, () => this.pause());
      for (const event of ["pointerleave", "focusout"]) this.addEventListener(event, () => this.go());
      this.left = SHOWN_MS;
      this.go();
    }

    disconnectedCallback() {
      clearTimeout(this.timer);
    }

    pause() {
      if (!this.since) return;
      clearTimeout(this.timer);
      this.left = Math.max(1500, this.left - (performance.now() - this.since));
      this.since = 0;
    }

    go() {
      if (this.classList.contains("toast-error") || this.matches(":hover, :focus-within") || this.since) return;
      this.since = performance.now();
      this.timer = setTimeout(() => this.remove(), this.left);
    }

    takeBack() {
      const { undo } = this;
      const address = this.dataset.undo;
      this.remove();
      if (undo) undo();
      if (!address) return say(text("undone"));
      return window.htmx.ajax("POST", address, { target: document.body, swap: "none" }).then(() => {
        say(text("undone"));
        document.dispatchEvent(new CustomEvent("heard:changed", { detail: { list: true, resync: true, cases: [] } }));
      });
    }
  }

  function toast(sentence, { undo, undoUrl, kind } = {}) {
    const made = document.createElement("heard-toast");
    const line = document.createElement("span");
    line.textContent = sentence;
    made.className = kind === "error" ? "toast toast-error" : "toast";
    made.undo = undo;
    if (undoUrl) made.dataset.undo = undoUrl;
    made.append(line);
    const tray = document.getElementById("toasts");
    tray.append(made);
    while (tray.children.length > MOST) tray.firstElementChild.remove();
    return made;
  }

  // The server renders how long is left, so a wrong clock in the browser changes nothing.
  class Countdown extends HTMLElement {
    static observedAttributes = ["left"];

    connectedCallback() {
      this.timer ??= setInterval(() => this.tick(), 500);
    }

    disconnectedCallback() {
      clearInterval(this.timer);
      this.timer = undefined;
    }

    attributeChangedCallback() {
      this.until = performance.now() + Number(this.getAttribute("left")) * 1000;
      queueMicrotask(() => this.tick());
    }

    tick() {
      const seconds = Math.ceil((this.until - performance.now()) / 1000);
      const sentence = seconds > 0 ? text("sendingIn", { n: seconds }) : text("sending");
      if (this.textContent !== sentence) this.textContent = sentence;
      const undo = this.parentElement?.querySelector('[data-verb="undo"]');
      if (undo) undo.hidden = seconds <= 0;
    }
  }

  window.heard = { text, say, toast, lastToast: () => document.querySelector("#toasts > [data-alive]:last-child") };
  customElements.define("heard-toast", Toast);
  customElements.define("heard-countdown", Countdown);
  document.addEventListener("heard:toast", ({ detail }) =>
    toast(detail.text, { undoUrl: detail.undo_url, kind: detail.kind }));
})();
