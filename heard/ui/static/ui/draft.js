// What is being written is kept twice: at once in this browser, and every two seconds on the server, where
// one's other devices find it. What the server does not have yet goes there when the connection is back.
"use strict";
(() => {
  const { text } = window.heard;
  const HERE_MS = 300;
  const SERVER_MS = 2000;
  const AGAIN_MS = 5000;
  const KEEPALIVE_BYTES = 60_000;

  class Draft {
    constructor(composer) {
      this.composer = composer;
      this.drawer = `heard-draft:${composer.dataset.writer}:${composer.dataset.case}`;
      this.url = composer.dataset.draftUrl;
      this.dirty = false;
      this.sequence = 0;
      this.online = () => this.dirty && this.send();
      window.addEventListener("online", this.online);
    }

    get mode() {
      return this.composer.mode?.value ?? "";
    }

    get subject() {
      return this.composer.form.elements[`subject_${this.mode}`];
    }

    // When the server's words were kept that these continue.
    get base() {
      return this.composer.form.elements.draft_at.value;
    }

    get target() {
      return this.composer.form.elements[`target_${this.mode}`];
    }

    now() {
      return {
        text: this.composer.area.value,
        mode: this.mode,
        subject: this.subject?.value ?? "",
        target: this.target?.value ?? "",
      };
    }

    // Words that the server does not have yet come back. Where it has others meanwhile, from another device,
    // both are kept; and words for one message are not offered to another, which may be public: then they
    // are a note until their writer says otherwise.
    restore() {
      const kept = this.read();
      const { area, form } = this.composer;
      if (!kept?.dirty || kept.text === area.value) return;
      const both = kept.text && area.value && kept.base !== this.base;
      area.value = both ? `${area.value}\n\n${kept.text}` : kept.text;
      const fits = (form.elements[`target_${kept.mode}`]?.value ?? "") === kept.target;
      const mode = form.querySelector(`[name=mode][value="${fits ? kept.mode : "note"}"]:not(:disabled)`);
      (mode ?? form.querySelector("[name=mode][value=note]:not(:disabled)"))?.click();
      if (this.subject && kept.subject) this.subject.value = kept.subject;
      this.changed();
    }

    changed() {
      this.dirty = true;
      clearTimeout(this.keeping);
      this.keeping = setTimeout(() => this.keep(), HERE_MS);
      this.sendIn(SERVER_MS);
    }

    // Sending begins: nothing older may leave after it.
    stop() {
      clearTimeout(this.keeping);
      clearTimeout(this.waiting);
      this.waiting = undefined;
      this.line?.abort();
    }

    // Sent: the server has emptied its copy, and takes no older words for this submission any more.
    done(sent) {
      this.stop();
      this.dirty = false;
      this.say("");
      if (this.read()?.text === sent) this.write(null);
    }

    // The page goes, perhaps to come back.
    flush() {
      if (!this.dirty || this.composer.sending) return;
      this.keep();
      this.send(true);
    }

    leave() {
      this.flush();
      clearTimeout(this.keeping);
      clearTimeout(this.waiting);
      window.removeEventListener("online", this.online);
    }

    // In this browser: only what the server does not have

    read() {
      try {
        return JSON.parse(localStorage.getItem(this.drawer) ?? "null");
      } catch {
        return null;
      }
    }

    keep() {
      if (!this.composer.sending) this.write({ ...this.now(), base: this.base, dirty: this.dirty });
    }

    write(kept) {
      try {
        if (kept?.dirty) localStorage.setItem(this.drawer, JSON.stringify(kept));
        else localStorage.removeItem(this.drawer);
      } catch {
        // A full or forbidden store: the server's copy is the only one.
      }
    }

    // On the server

    sendIn(milliseconds) {
      this.waiting ??= setTimeout(() => this.send(), milliseconds);
    }

    async send(leaving = false) {
      clearTimeout(this.waiting);
      this.waiting = undefined;
      if (!this.url || this.composer.sending) return;
      const sent = this.now();
      this.line?.abort();
      this.line = new AbortController();
      try {
        const answer = await fetch(this.url, {
          method: "POST",
          body: this.body(sent),
          keepalive: leaving && sent.text.length * 3 < KEEPALIVE_BYTES,
          signal: leaving ? undefined : this.line.signal,
          // A sign-in page is an answer too, but not that it was kept.
          redirect: "manual",
        });
        if (answer.status === 204) this.arrived(sent, answer.headers.get("X-Heard-Draft"));
        else if (answer.status === 409) this.refused(sent);
        else if (answer.status >= 500) this.later();
        else this.say(text("draftHere"));
      } catch (error) {
        if (error.name !== "AbortError") this.later();
      }
    }

    body(sent) {
      const body = new FormData();
      for (const [name, value] of Object.entries(sent)) body.append(name, value);
      this.sequence += 1;
      body.append("sequence", this.sequence);
      for (const name of ["csrfmiddlewaretoken", "submission_key"]) {
        body.append(name, this.composer.form.elements[name]?.value ?? "");
      }
      return body;
    }

    // This submission was sent, and its answer was lost. The same words must not leave twice: they keep its
    // name. Other words are another answer.
    refused(sent) {
      this.say(text("draftHere"));
      if (sent.text === this.composer.sentText) return;
      this.composer.renew();
      this.sendIn(SERVER_MS);
    }

    arrived(sent, at) {
      if (at) this.composer.form.elements.draft_at.value = at;
      const now = this.now();
      if (Object.keys(sent).some((name) => sent[name] !== now[name])) {
        this.sendIn(SERVER_MS);
        return;
      }
      this.dirty = false;
      this.write(null);
      this.say(sent.text.trim() ? text("draftKept") : "");
    }

    later() {
      this.say(text("draftHere"));
      if (this.composer.isConnected) this.sendIn(AGAIN_MS);
    }

    say(sentence) {
      const place = this.composer.querySelector("[data-kept]");
      if (place) place.textContent = sentence;
    }
  }

  window.heard.Draft = Draft;
})();
