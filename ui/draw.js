// Draws one view: words into their places, facts by the screen's own function, focus and the live region on a change.
// A view arrives each second while something counts down, so what is the same is left alone.
import { SCREENS } from './screens.js';
import { rememberScreen } from './person.js';

let screen = null;
let state = null;

export function draw({ lang, view, words, said }) {
  const section = document.querySelector(`[data-for="${view.screen}"]`);
  const arrived = view.screen !== screen;
  document.documentElement.lang = lang;
  place(section, words);
  const next = SCREENS[view.screen](section, view, words) ?? '';
  if (arrived) arrive(section, view.screen);
  announce(arrived ? '' : words[said] ?? (next !== state && words[next]));
  screen = view.screen;
  state = next;
}

function place(section, words) {
  for (const element of section.querySelectorAll('[data-words]')) {
    write(element, words[element.dataset.words] ?? '');
  }
}

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function arrive(section, name) {
  for (const other of document.querySelectorAll('[data-for]')) other.hidden = other !== section;
  document.body.dataset.screen = name;
  rememberScreen(section);
  window.scrollTo(0, 0);
  const step = section.querySelector('form:not([hidden]) input');
  (step ?? section.querySelector('h1')).focus({ preventScroll: true });
}

// False leaves what stands there: the region speaks of a change of state, never of the seconds.
function announce(text) {
  if (text !== false && text !== undefined) write(document.getElementById('status'), text);
}
