// Draws one view: its screen's template, words into their places, facts by the screen's own function, focus and the live region
// on a change. A view arrives each second while something counts down, so what is the same is left alone.
import { SCREENS } from './screens.js';

let screen = null;
let state = null;

export function draw({ lang, view, words, said }) {
  const arrived = view.screen !== screen;
  document.documentElement.lang = lang;
  const section = arrived ? exchange(view.screen) : document.querySelector('section');
  place(section, words);
  const next = SCREENS[view.screen]?.(section, view, words, { arrived }) ?? '';
  if (arrived) focus(section);
  if (arrived) sayWhenPainted(view.screen);
  announce(arrived ? '' : words[said] ?? (next !== state && words[next]));
  screen = view.screen;
  state = next;
}

function exchange(name) {
  // The first screen is there at once; from then on one fades into the next.
  if (screen && screen !== 'starting') document.body.dataset.fades = '';
  const template = document.getElementById(`screen-${name}`);
  const section = template.content.cloneNode(true).firstElementChild;
  document.querySelector('section')?.remove();
  document.getElementById('status').before(section);
  document.body.dataset.screen = name;
  return section;
}

function place(section, words) {
  for (const element of section.querySelectorAll('[data-words]')) {
    write(element, words[element.dataset.words] ?? '');
  }
}

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function focus(section) {
  window.scrollTo(0, 0);
  const field = section.querySelector('form:not([hidden]) input');
  (field ?? section.querySelector('h1')).focus({ preventScroll: true });
}

// For whoever takes pictures: the frame after the next one has this screen in it.
function sayWhenPainted(name) {
  requestAnimationFrame(() => requestAnimationFrame(() => { document.body.dataset.painted = name; }));
}

// False leaves what stands there: the region speaks of a change of state, never of the seconds.
function announce(text) {
  if (text !== false && text !== undefined) write(document.getElementById('status'), text);
}
