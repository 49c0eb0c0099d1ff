// Why a passkey did not work, in words beside its button: the browser tells only the console.
"use strict";
(() => {
  const problem = document.getElementById("passkey-problem");
  const BUTTONS = "#mfa_webauthn_add, #passkey_login, #mfa_webauthn_authenticate, #mfa_webauthn_reauthenticate";
  const button = document.querySelector(BUTTONS);
  if (!problem || !button) return;
  (button.closest(".form-foot") ?? button).before(problem);

  const isNumber = /^[\d.]+$|^\[/.test(location.hostname);
  const isHere = /^127\.|^\[::1\]$/.test(location.hostname);

  function why(error) {
    if (isNumber) return isHere ? "number" : "numberFar";
    if (!window.isSecureContext) return "insecure";
    return { NotAllowedError: "stopped", InvalidStateError: "known" }[error?.name] ?? "other";
  }

  function show(error) {
    const reason = why(error);
    problem.querySelector("p").textContent = problem.dataset[reason];
    const link = problem.querySelector("a");
    const named = new URL(location.href);
    named.hostname = "localhost";
    link.hidden = reason !== "number";
    link.href = named.href;
    link.textContent = link.dataset.label.replace("{address}", named.host);
    problem.hidden = false;
  }

  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    show(event.detail.exception);
  });

  // Whoever came to add one should not have to try first.
  if (button.id === "mfa_webauthn_add" && (isNumber || !window.isSecureContext)) show();
})();
