"use strict";
// The page may have been drawn long ago in a tab that was hidden. When it comes to the front, its
// buttons rest as they do on a new page (style.css), so that the second half of a double click that
// was aimed at another page presses none of them.
document.addEventListener("visibilitychange", () => {
  for (const button of document.querySelectorAll("form button")) {
    button.style.animation = "none";
    // Asking for the layout makes the browser see the change, and the animation begins anew.
    button.getBoundingClientRect();
    button.style.animation = "";
  }
});
