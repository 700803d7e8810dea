// The numbers of the admin page, renewed every five seconds, and the buttons that copy a link.
"use strict";
async function renew() {
  for (const section of document.querySelectorAll("[data-study]")) {
    try {
      const answer = await fetch(`/admin/${section.dataset.study}/progress`);
      if (!answer.ok) continue;
      const now = await answer.json();
      for (const cell of section.querySelectorAll("[data-name]")) cell.textContent = now.texts[cell.dataset.name] ?? "–";
      section.querySelector("[data-done]").value = now.done ?? 0;
    } catch { /* the network is away: the last numbers stay */ }
  }
}
setInterval(renew, 5000);

async function copy(button) { // on plain http a page may not write to the clipboard: then the link is selected
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    getSelection().selectAllChildren(button.previousElementSibling);
    said = "Selected: press Ctrl+C";
  }
  document.getElementById("say").textContent = said;
  const label = button.textContent;
  button.textContent = said;
  setTimeout(() => { button.textContent = label; }, 2000);
}
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));
