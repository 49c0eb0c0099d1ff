// Small upgrades of plain forms: copying an address, and sending a form once.
"use strict";
(() => {
  // <heard-copy for="invitation-link"><button type="button" class="button">Copy</button></heard-copy>
  class Copy extends HTMLElement {
    connectedCallback() {
      this.addEventListener("click", () => this.copy());
    }

    async copy() {
      const field = document.getElementById(this.getAttribute("for"));
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        document.execCommand("copy"); // plain http has no clipboard of its own
      }
      window.heard?.toast(window.heard.text("copied"));
    }
  }

  customElements.define("heard-copy", Copy);

  // A second click on a slow line must not invite twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 5000);
  });

  // Whoever sets up a company sits, most likely, where it keeps its clock.
  const zone = document.querySelector("select[data-own-zone]");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone?.value === "UTC" && [...zone.options].some((option) => option.value === here)) zone.value = here;

  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
