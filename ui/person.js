// What the person does: clicks, keys and forms become intents, or commands of the window itself.
// Remembers the last email while the window is open, for the field.
let email = '';
let wantedStep = null;

export const knownEmail = () => email;
export const rememberEmail = (known) => { email = known; };

// The step of the signed-in screen that a click on another screen asked for; it counts once.
export function takeWantedStep() {
  const step = wantedStep;
  wantedStep = null;
  return step;
}

export function showStep(section, name) {
  for (const step of section.querySelectorAll('[data-step]')) step.hidden = step.dataset.step !== name;
}

export function hearPerson(invoke) {
  const intend = (intent) => invoke('intent', { intent });
  document.addEventListener('submit', (event) => {
    event.preventDefault();
    submit(event.target, intend);
  });
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button && button.type !== 'submit') press(button, intend, invoke);
  });
  document.addEventListener('input', (event) => right(event.target));
  document.addEventListener('keydown', (event) => {
    if (!zoom(event, invoke)) key(event);
  });
}

function submit(form, intend) {
  const field = form.querySelector('input');
  field.value = field.value.trim();
  if (!field.value || !field.validity.valid) {
    wrong(field);
    return;
  }
  rememberEmail(field.value);
  intend({ name: form.dataset.intentOfForm, email: field.value });
}

function press(button, intend, invoke) {
  const { intent, command, opens, shows, thenShow, withoutEmail } = button.dataset;
  const { account, session } = button.dataset;
  if (opens) toggle(button);
  if (shows) step(button, shows);
  if (command) invoke(command);
  if (!intent) return;
  wantedStep = thenShow || null;
  const hasEmail = intent === 'sign-in' && withoutEmail === undefined;
  intend({ name: intent, account, session, email: hasEmail ? knownEmail() : undefined });
}

function toggle(button) {
  const open = button.getAttribute('aria-expanded') !== 'true';
  button.setAttribute('aria-expanded', String(open));
  const panel = document.getElementById(button.dataset.opens);
  panel.hidden = !open;
  if (open) panel.scrollIntoView({ block: 'nearest' });
}

function step(button, name) {
  const section = button.closest('section');
  showStep(section, name);
  const shown = section.querySelector(`[data-step="${name}"]`);
  (shown.querySelector('input') ?? shown.querySelector('[data-shows]')).focus();
}

const ZOOM = { '+': 'in', '=': 'in', '-': 'out', _: 'out', 0: 'reset' };

// As in browsers: Ctrl (or Command) with plus, minus and zero. Answers whether it was that.
function zoom(event, invoke) {
  const step = ZOOM[event.key];
  if (!step || event.altKey || !(event.ctrlKey || event.metaKey)) return false;
  event.preventDefault();
  invoke('zoom', { step });
  return true;
}

const BACK = 'form:not([hidden]) [data-shows], [data-intent="dismiss"]:not([hidden])';

// Escape puts a problem away and closes the form for another account. It does not cancel a sign-in:
// that costs the person what they did in the browser, so it takes the button. Enter takes a
// problem's first offer.
function key(event) {
  if (event.repeat || event.isComposing) return;
  if (event.key === 'Escape') document.querySelector(BACK)?.click();
  if (event.key === 'Enter' && document.activeElement?.tagName === 'H1') {
    if (document.body.dataset.screen === 'problem') document.querySelector('.primary').click();
  }
}

function wrong(field) {
  field.setAttribute('aria-invalid', 'true');
  document.getElementById(field.getAttribute('aria-describedby')).hidden = false;
  field.focus();
}

function right(field) {
  field.removeAttribute('aria-invalid');
  const note = document.getElementById(field.getAttribute('aria-describedby') ?? '');
  if (note) note.hidden = true;
}
