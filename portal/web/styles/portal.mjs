// The portal's script: GOV.UK components, progress that follows long work, and the print button.
import { Button, CharacterCount, Checkboxes, ErrorSummary, FileUpload, NotificationBanner, PasswordInput, Radios, ServiceNavigation, SkipLink, createAll, isSupported } from "govuk-frontend";

const root = document.body;
root.classList.add("js-enabled");
if (isSupported() || "noModule" in HTMLScriptElement.prototype) root.classList.add("govuk-frontend-supported");
for (const component of [Button, CharacterCount, Checkboxes, ErrorSummary, FileUpload, NotificationBanner, PasswordInput, Radios, ServiceNavigation, SkipLink]) createAll(component);

// Progress: fetch the same page again, copy its words into the live region, and stop when the work is done.
const followProgress = (block) => {
  const interval = Number(block.dataset.every) * 1000;
  const scheduleRefresh = () => setTimeout(refresh, interval);
  const refresh = async () => {
    // A hidden page would only load the server.
    if (document.hidden) return scheduleRefresh();
    try {
      const response = await fetch(block.dataset.progress, { credentials: "same-origin", headers: { "X-Progress": "1" } });
      if (response.redirected || !response.ok) return location.assign(response.redirected ? response.url : location.href);
      const newBlock = new DOMParser().parseFromString(await response.text(), "text/html").getElementById(block.id);
      if (!newBlock || !("progress" in newBlock.dataset)) return location.reload();
      for (const part of ["said", "bar"]) {
        const current = block.querySelector(`[data-part=${part}]`);
        const updated = newBlock.querySelector(`[data-part=${part}]`);
        if (!current || !updated) continue;
        if (part === "bar") {
          if (updated.hasAttribute("value")) current.setAttribute("value", updated.getAttribute("value"));
        // Writing the same text again would make a screen reader repeat it.
        } else if (current.textContent !== updated.textContent) current.textContent = updated.textContent;
      }
    } catch {
      // The network failed for a moment: try again. The page's own link still works.
    }
    return scheduleRefresh();
  };
  scheduleRefresh();
};
for (const block of document.querySelectorAll("[data-progress]")) followProgress(block);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// The Tab key stops at a table only while the table is wider than its box and has to be scrolled.
const overflowObserver = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".portal-scroll")) overflowObserver.observe(box);

// Two minutes before the sign-in ends a dialog offers to stay signed in. What was typed on the page is kept.
const MINUTE = 60_000;
for (const dialog of document.querySelectorAll("dialog[data-idle]")) {
  const form = dialog.querySelector("form");
  const setVisible = (part, isVisible) => (dialog.querySelector(`[data-part=${part}]`).hidden = !isVisible);
  let warningTimer, signOutTimer;
  const startTimers = () => {
    clearTimeout(warningTimer);
    clearTimeout(signOutTimer);
    warningTimer = setTimeout(() => dialog.showModal(), (Number(dialog.dataset.idle) - 2) * MINUTE);
    signOutTimer = setTimeout(showSignedOut, Number(dialog.dataset.idle) * MINUTE);
  };
  const showSignedOut = () => {
    dialog.querySelector("h2").textContent = "You have been signed out";
    setVisible("before", false);
    setVisible("after", true);
    form.hidden = true;
    if (!dialog.open) dialog.showModal();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const response = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" }).catch(() => null);
    if (!response || !response.ok) return showSignedOut();
    dialog.close();
    startTimers();
  });
  // Escape stays signed in: closing the dialog alone would let the sign-in end without another warning.
  dialog.addEventListener("cancel", (event) => {
    if (form.hidden) return;
    event.preventDefault();
    form.requestSubmit();
  });
  startTimers();
}
