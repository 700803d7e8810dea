// The numbers of the admin page, renewed every five seconds.
"use strict";
async function renew() {
  for (const section of document.querySelectorAll("[data-study]")) {
    try {
      const answer = await fetch(`/admin/${section.dataset.study}/progress`);
      if (!answer.ok) continue;
      const now = await answer.json();
      for (const cell of section.querySelectorAll("[data-name]")) cell.textContent = now[cell.dataset.name] ?? "–";
    } catch { /* the network is away: the last numbers stay */ }
  }
}
setInterval(renew, 5000);
