// Where an answer is written: it counts as the network counts, keeps every word, and sends once.
"use strict";
(() => {
  const { text, say, toEnd } = window.heard;
  const LOW = 20;
  const URLS = /\bhttps?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'»”]/giu;
  const FAR_MENTIONS = /(^|[^\w/@])@([\w.-]+)@[\w-]+(?:\.[\w-]+)+/gu;
  const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const bytes = (words) => new TextEncoder().encode(words).length;
  const units = {
    grapheme: (words) => {
      let n = 0;
      for (const _ of segmenter.segment(words)) n += 1;
      return n;
    },
    codepoint: (words) => [...words].length,
    utf16: (words) => words.length,
    byte: bytes,
  };

  // What the network will count; the server counts again and has the last word.
  function length(words, limit) {
    let counted = words;
    let fixed = 0;
    if (limit.urlCost) {
      counted = counted.replace(URLS, () => {
        fixed += Number(limit.urlCost);
        return "";
      });
    }
    if (limit.localMentions) counted = counted.replace(FAR_MENTIONS, "$1@$2");
    return units[limit.unit || "grapheme"](counted) + fixed;
  }

  const fits = (type, allowed) =>
    allowed.some((one) => one === type || one === "*/*" || (one.endsWith("/*") && type.startsWith(one.slice(0, -1))));

  const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");

  class HeardComposer extends HTMLElement {
    connectedCallback() {
      this.form = this.querySelector("form");
      if (!this.form || this.alive) return;
      this.alive = true;
      this.area = this.form.querySelector("textarea");
      this.send = this.form.querySelector("[type=submit]");
      this.problems = this.form.querySelector("#composer-problems");
      this.tiles = this.form.querySelector("[data-tiles]");
      this.picker = this.form.querySelector("[type=file]");
      this.replyHint = this.area.placeholder;
      this.files = [];
      this.querySelector(".without-script")?.remove();
      if (/Mac|iPhone|iPad/.test(navigator.platform)) this.querySelector("[data-send-key]").textContent = "⌘ ↵";
      this.draft = new window.heard.Draft(this);
      this.listen();
      this.draft.restore();
      this.update();
    }

    disconnectedCallback() {
      this.draft?.leave();
    }

    listen() {
      this.area.addEventListener("keydown", (event) => this.key(event));
      this.form.addEventListener("input", (event) => this.edited(event));
      this.form.addEventListener("submit", (event) => this.guard(event), true);
      this.form.addEventListener("htmx:before:request", (event) => this.leaves(event));
      this.form.addEventListener("htmx:after:request", (event) => this.answered(event));
      this.form.addEventListener("htmx:finally:request", () => this.settled());
      this.form.addEventListener("htmx:error", () => this.failed());
      this.area.addEventListener("paste", (event) => this.take(event.clipboardData.files, event));
      this.form.addEventListener("dragover", (event) => this.drag(event, true));
      this.form.addEventListener("dragleave", (event) => this.drag(event, false));
      this.form.addEventListener("drop", (event) => {
        this.drag(event, false);
        this.take(event.dataTransfer.files, event);
      });
    }

    get mode() {
      return this.form.querySelector("[name=mode]:checked");
    }

    compose(key) {
      const mode = this.form.querySelector(`[name=mode][value="${key}"]:not(:disabled)`);
      if (mode) mode.checked = true;
      this.update();
      this.area.focus();
    }

    key(event) {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit(this.send);
    }

    // On "input", never on "change": that one fires when a field is left, in the middle of a click on
    // something else, and what vanished then would move the target from under the pointer.
    edited(event) {
      this.problems.replaceChildren();
      if (event.target === this.picker) this.take(this.picker.files);
      this.draft.changed();
      this.update();
    }

    // Counting, and why Send would refuse

    update() {
      const limit = this.mode?.dataset ?? {};
      const note = this.mode?.value === "note";
      this.area.placeholder = note ? text("notePlaceholder") : this.replyHint;
      this.querySelector("[data-attach]").hidden = !Number(limit.files);
      this.picker.accept = limit.types ?? "";
      this.count(limit);
      this.reason = this.refusal(limit);
      this.send.setAttribute("aria-disabled", String(Boolean(this.reason)));
      this.send.title = this.reason;
      if (!this.area.style || CSS.supports("field-sizing", "content")) return;
      this.area.rows = Math.min(12, Math.max(3, this.area.value.split("\n").length + 1));
    }

    count(limit) {
      const counter = this.querySelector("[data-counter]");
      const maximum = Number(limit.maximum);
      this.left = maximum ? maximum - length(this.area.value, limit) : Infinity;
      this.bytesOver = limit.bytes ? bytes(this.area.value) - Number(limit.bytes) : -1;
      const over = this.left < 0 || this.bytesOver > 0;
      counter.textContent = maximum ? new Intl.NumberFormat(document.documentElement.lang).format(this.left) : "";
      counter.className = `counter needs-script${over ? " is-over" : this.left <= LOW ? " is-low" : ""}`;
      this.speak(over);
    }

    speak(over) {
      const level = over ? "over" : this.left <= LOW ? "low" : "";
      if (level && level !== this.level) {
        if (level === "low") say(text("left", { n: this.left }));
        else say(this.left < 0 ? text("over", { n: -this.left }) : text("bytesOver", { n: this.bytesOver }));
      }
      this.level = level;
    }

    refusal(limit) {
      if (this.left < 0) return text("tooLong");
      if (this.bytesOver > 0) return text("bytesOver", { n: this.bytesOver });
      if (this.files.length > Number(limit.files)) return text("tooMany", { n: limit.files });
      const wrong = this.files.map(({ file }) => this.misfit(file, limit)).find(Boolean);
      if (wrong) return wrong;
      return this.files.some((entry) => !this.described(entry)) ? text("altMissing") : "";
    }

    misfit(file, limit) {
      const types = (limit.types ?? "").split(",").filter(Boolean);
      if (types.length && !fits(file.type, types)) return text("wrongType", { name: file.name });
      if (Number(limit.fileBytes) && file.size > Number(limit.fileBytes)) return text("tooBig", { name: file.name });
      return "";
    }

    described({ tile }) {
      const alt = tile.querySelector("[name=alt]");
      return alt.type === "hidden" || alt.value.trim() || tile.querySelector("[type=checkbox]").checked;
    }

    guard(event) {
      const empty = !this.area.value.trim() && !this.files.length;
      this.problems.replaceChildren();
      if (!this.reason && !empty) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.complain(this.reason || text("empty"));
      if (empty) this.area.focus();
      else this.tiles.querySelector("[name=alt]:placeholder-shown")?.focus();
    }

    complain(sentence) {
      const line = document.createElement("p");
      line.className = "composer-line is-problem";
      line.textContent = sentence;
      this.problems.replaceChildren(line);
    }

    // Sending: words and files stay until the server has them

    leaves(event) {
      this.sending = true;
      this.draft.stop();
      this.area.readOnly = true;
      this.send.disabled = true;
      this.sentMode = this.mode?.value;
      this.sentText = this.area.value;
      if (this.files.length) event.detail.ctx.fetch = (url, request) => this.upload(url, request);
    }

    // fetch cannot say how far an upload has come; the older way can.
    upload(url, request) {
      const bar = this.querySelector("progress");
      bar.hidden = false;
      return new Promise((resolve, reject) => {
        const line = new XMLHttpRequest();
        line.open(request.method, url);
        for (const [name, value] of Object.entries(request.headers)) line.setRequestHeader(name, value);
        line.upload.addEventListener("progress", (event) => {
          if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
        });
        line.addEventListener("load", () => resolve(new Response(line.responseText, { status: line.status, headers: headersOf(line) })));
        line.addEventListener("error", () => reject(new TypeError("network")));
        request.signal.addEventListener("abort", () => line.abort());
        line.send(request.body);
      });
    }

    answered({ detail }) {
      const { status } = detail.ctx.response;
      if (status >= 400) {
        if (status !== 422) this.failed(window.heard.problem(detail.ctx.response.headers));
        return;
      }
      this.sending = false;
      this.clear();
      say(text(this.sentMode === "note" ? "noteSaved" : "sentSoon"));
      requestAnimationFrame(toEnd);
    }

    failed(sentence) {
      this.complain(sentence ?? text("notSent"));
    }

    settled() {
      this.sending = false;
      this.area.readOnly = false;
      this.send.disabled = false;
      this.querySelector("progress").hidden = true;
      this.update();
      if (this.area.value) this.draft.changed();
      if (document.activeElement === document.body || this.contains(document.activeElement)) this.area.focus();
    }

    clear() {
      this.area.value = "";
      for (const entry of [...this.files]) this.drop(entry);
      this.renew();
      this.draft.done(this.sentText);
    }

    renew() {
      this.form.elements.submission_key.value = random();
    }

    // Files: each a tile that asks for words for those who cannot see it

    drag(event, over) {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      this.form.classList.toggle("is-dropping", over);
    }

    take(list, event) {
      if (!list.length || !Number(this.mode?.dataset.files)) return;
      event?.preventDefault();
      const known = new Set(this.files.map(({ file }) => file));
      for (const file of list) if (!known.has(file)) this.tile(file);
      this.sync();
    }

    tile(file) {
      const tile = document.createElement("div");
      tile.className = "upload-tile";
      const seen = /^(image|video|audio)\//.test(file.type);
      const entry = { file, tile };
      tile.append(thumb(file), named("span", "upload-name truncate", file.name), this.remover(entry), ...altFields(file, seen));
      this.files.push(entry);
      this.tiles.append(tile);
      if (seen) tile.querySelector("[name=alt]").focus();
    }

    remover(entry) {
      const made = named("button", "icon-button", "×");
      made.type = "button";
      made.ariaLabel = text("remove", { name: entry.file.name });
      made.addEventListener("click", () => {
        this.drop(entry);
        this.area.focus();
      });
      return made;
    }

    drop(entry) {
      entry.tile.remove();
      this.files = this.files.filter((other) => other !== entry);
      this.sync();
    }

    sync() {
      const carrier = new DataTransfer();
      for (const { file } of this.files) carrier.items.add(file);
      this.picker.files = carrier.files;
      this.update();
    }

    // Words that were taken back come home, unless something new stands there.
    giveBack(words) {
      if (this.area.value.trim()) return;
      this.area.value = words;
      this.draft.changed();
      this.update();
      this.area.focus();
      say(text("restored"));
    }
  }

  function named(tag, className, words) {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = words;
    return made;
  }

  // Drawn, not linked: the page's policy allows pictures from this site only, not from a blob.
  function thumb(file) {
    const frame = named("span", "upload-thumb", file.name.split(".").pop().slice(0, 4));
    if (file.type.startsWith("image/")) draw(file, frame).catch(() => undefined);
    return frame;
  }

  async function draw(file, frame) {
    const picture = await createImageBitmap(file);
    const canvas = document.createElement("canvas");
    const side = Math.min(picture.width, picture.height);
    canvas.width = 88;
    canvas.height = 88;
    canvas.getContext("2d").drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, 88, 88);
    picture.close();
    frame.replaceChildren(canvas);
  }

  // As many `alt` as files, in the same order: a file that is not seen or heard sends an empty one.
  function altFields(file, seen) {
    const alt = document.createElement("input");
    alt.name = "alt";
    if (!seen) {
      alt.type = "hidden";
      return [alt];
    }
    const label = text("altLabel", { name: file.name });
    alt.className = "field-input";
    alt.maxLength = 1500;
    alt.placeholder = label;
    alt.ariaLabel = label;
    alt.dir = "auto";
    const skip = document.createElement("label");
    skip.className = "upload-skip";
    const box = document.createElement("input");
    box.type = "checkbox";
    skip.append(box, text("altSkip"));
    return [alt, skip];
  }

  function headersOf(line) {
    const pairs = line.getAllResponseHeaders().trim().split(/\r?\n/);
    return new Headers(pairs.filter(Boolean).map((pair) => [pair.slice(0, pair.indexOf(":")), pair.slice(pair.indexOf(":") + 1).trim()]));
  }

  customElements.define("heard-composer", HeardComposer);
  window.heard.textLength = length;
  document.addEventListener("heard:draft", ({ detail }) => document.querySelector("heard-composer")?.giveBack?.(detail.text));
  window.addEventListener("pagehide", () => document.querySelector("heard-composer")?.draft?.flush());
})();
