// The portal's script: GOV.UK components, progress that follows long work, and the print button.
import { Button, CharacterCount, Checkboxes, ErrorSummary, FileUpload, NotificationBanner, PasswordInput, Radios, ServiceNavigation, SkipLink, createAll, isSupported } from "govuk-frontend";

const root = document.body;
root.classList.add("js-enabled");
if (isSupported() || "noModule" in HTMLScriptElement.prototype) root.classList.add("govuk-frontend-supported");
for (const component of [Button, CharacterCount, Checkboxes, ErrorSummary, FileUpload, NotificationBanner, PasswordInput, Radios, ServiceNavigation, SkipLink]) createAll(component);

// Progress: fetch the same page again, put its words into the live region, and stop when the work is done.
const follow = (block) => {
  const wait = Number(block.dataset.every) * 1000;
  const again = () => setTimeout(look, wait);
  const look = async () => {
    if (document.hidden) return again();
    try {
      const answer = await fetch(block.dataset.progress, { credentials: "same-origin", headers: { "X-Progress": "1" } });
      if (answer.redirected || !answer.ok) return location.assign(answer.redirected ? answer.url : location.href);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(block.id);
      if (!fresh || !("progress" in fresh.dataset)) return location.reload();
      for (const part of ["said", "bar"]) {
        const now = block.querySelector(`[data-part=${part}]`);
        const next = fresh.querySelector(`[data-part=${part}]`);
        if (!now || !next) continue;
        if (part === "bar") {
          if (next.hasAttribute("value")) now.setAttribute("value", next.getAttribute("value"));
        } else if (now.textContent !== next.textContent) now.textContent = next.textContent;
      }
    } catch {
      // The network is away for a moment: the page's own link still works, and we look again.
    }
    return again();
  };
  again();
};
for (const block of document.querySelectorAll("[data-progress]")) follow(block);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A table is a stop of the Tab key only while it is wider than its box.
const fitting = new ResizeObserver((seen) => {
  for (const { target } of seen) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".portal-scroll")) fitting.observe(box);

// Two minutes before the sign-in ends: a dialog that can be answered, and that leaves the page's own words alone.
const MINUTE = 60_000;
for (const dialog of document.querySelectorAll("dialog[data-idle]")) {
  const form = dialog.querySelector("form");
  const show = (part, shown) => (dialog.querySelector(`[data-part=${part}]`).hidden = !shown);
  let warning, end;
  const start = () => {
    clearTimeout(warning);
    clearTimeout(end);
    warning = setTimeout(() => dialog.showModal(), (Number(dialog.dataset.idle) - 2) * MINUTE);
    end = setTimeout(over, Number(dialog.dataset.idle) * MINUTE);
  };
  const over = () => {
    dialog.querySelector("h2").textContent = "You have been signed out";
    show("before", false);
    show("after", true);
    form.hidden = true;
    if (!dialog.open) dialog.showModal();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" }).catch(() => null);
    if (!answer || !answer.ok) return over();
    dialog.close();
    start();
  });
  dialog.addEventListener("cancel", (event) => {
    if (form.hidden) return;
    event.preventDefault();
    form.requestSubmit();
  });
  start();
}
