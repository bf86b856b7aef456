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
