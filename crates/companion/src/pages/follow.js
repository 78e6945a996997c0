"use strict";
// Follows the sign-in: as soon as its status is none of those this page stands for, the page is asked for anew.
const { base, shown } = document.currentScript.dataset;
const stays = shown.split(" ");
const begun = Date.now();
setTimeout(() => document.getElementById("late").removeAttribute("hidden"), 10000);
async function look() {
  try {
    const answer = await fetch(base + "/status", { headers: { accept: "application/json" }, cache: "no-store" });
    if (answer.ok && !stays.includes((await answer.json()).status)) return location.replace(base);
  } catch (_) {
    // The service may be restarting; the next look tells.
  }
  // A tab that is left open must not ask for ever as often as one that a person looks at.
  setTimeout(look, Date.now() - begun < 60000 ? 700 : 5000);
}
setTimeout(look, 300);
