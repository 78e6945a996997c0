// What a screen does with the facts of its view, where it has more than words. Each answers with
// the name of its state: when that changes while the screen stays, the words of that name are
// announced.
import { write } from './draw.js';
import { knownEmail, rememberEmail, showStep, takeWantedStep } from './person.js';

export const SCREENS = {
  signed_out: signedOut,
  waiting,
  confirm: (section, view) => {
    write(section.querySelector('[data-fact="number"]'), view.number);
    return lastMinute(view);
  },
  signed_in: signedIn,
  sessions,
  problem,
};

function signedOut(section, view, words, { arrived }) {
  if (arrived) section.querySelector('input').value = knownEmail();
}

function waiting(section, view, words) {
  when(section, 'another-way', view.another_way);
  const open_again = ['open-again', words['open-again']];
  const copy_link = ['copy-link', words['copy-link']];
  const start_again = ['try-again', words['start-again']];
  let offers = [open_again, copy_link];
  if (view.browser_failed) offers = [copy_link, open_again];
  if (!view.can_open_again) offers = [start_again, null];
  offer(section, 'first', offers[0]);
  offer(section, 'second', offers[1]);
  section.querySelector('[data-part="between"]').hidden = !offers[1];
  if (view.browser_failed) return 'browser-failed';
  return view.returning ? 'returning' : lastMinute(view);
}

function lastMinute(view) {
  return view.seconds_left <= 60 ? 'one-minute' : '';
}

function signedIn(section, view, words, { arrived }) {
  const { account } = view;
  const email = account.email ?? '';
  const name = account.name ?? account.email ?? account.subject;
  rememberEmail(email);
  write(section.querySelector('[data-fact="name"]'), name);
  write(section.querySelector('[data-fact="initial"]'), initial(name));
  write(section.querySelector('[data-fact="email"]'), email);
  write(section.querySelector('[data-fact="since"]'), sayWhen(account.signed_in_at));
  write(section.querySelector('[data-part="session"]'), words[view.stored]);
  when(section, 'named', Boolean(email) && name !== email);
  when(section, 'from', Boolean(words.from));
  when(section, 'not-saved', view.not_saved !== null);
  when(section, 'unreachable', view.unreachable !== null);
  when(section, 'others', view.others.length > 0);
  listAccounts(section.querySelector('[data-part="others"]'), view.others);
  if (arrived) showStep(section, takeWantedStep() ?? 'account');
  if (view.unreachable !== null) return 'unreachable';
  return view.not_saved !== null ? 'not-saved' : 'reachable';
}

// One line a session. What is the same is left alone, so that the focus stays where it is.
function sessions(section, view, words) {
  const list = section.querySelector('[data-part="sessions"]');
  const listed = JSON.stringify(view.sessions);
  if (list.dataset.listed !== listed) {
    list.dataset.listed = listed;
    list.replaceChildren(...(view.sessions ?? []).map((session) => sessionRow(session, words)));
  }
  list.hidden = !view.sessions?.length;
  when(section, 'loading', view.busy && !view.sessions);
  when(section, 'problem', view.problem !== null);
  when(section, 'listed', Boolean(view.sessions?.length));
  section.setAttribute('aria-busy', String(view.busy));
  for (const button of section.querySelectorAll('[data-intent^="end-"], .quiet')) {
    button.disabled = view.busy;
  }
  return view.problem !== null ? 'problem' : '';
}

function sessionRow({ id, is_this, device, last_used, address }, words) {
  const row = document.getElementById('listed-session').content.cloneNode(true).firstElementChild;
  const name = device ?? words['unnamed'];
  write(row.querySelector('[data-fact="device"]'), name);
  write(row.querySelector('[data-fact="this"]'), words['this']);
  row.querySelector('[data-fact="this"]').hidden = !is_this;
  const used = `${words['used']} ${sayWhen(last_used)}`;
  write(row.querySelector('[data-fact="used"]'), address ? `${used} · ${address}` : used);
  const button = row.querySelector('button');
  button.dataset.session = id;
  write(button, words['end']);
  button.setAttribute('aria-label', `${words['end']}: ${name}`);
  return row;
}

const initial = (name) => [...name][0]?.toLocaleUpperCase() ?? '';

// One button an account. What is the same is left alone, so that the focus stays where it is.
function listAccounts(list, accounts) {
  const listed = JSON.stringify(accounts);
  if (list.dataset.listed === listed) return;
  list.dataset.listed = listed;
  list.replaceChildren(...accounts.map(accountRow));
}

function accountRow({ id, name, email, subject }) {
  const shown = name ?? email ?? subject;
  const row = document.getElementById('other-account').content.cloneNode(true).firstElementChild;
  row.querySelector('button').dataset.account = id;
  write(row.querySelector('[data-fact="initial"]'), initial(shown));
  write(row.querySelector('[data-fact="name"]'), shown);
  write(row.querySelector('[data-fact="email"]'), email ?? '');
  row.querySelector('[data-fact="email"]').hidden = !email || shown === email;
  return row;
}

// "today 09:02", in the person's own calendar and clock.
function sayWhen(milliseconds) {
  const then = new Date(milliseconds);
  const lang = document.documentElement.lang;
  const said = (parts) => new Intl.DateTimeFormat(lang, parts).format(then);
  const clock = said({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  const days = Math.round((midnight(then) - midnight(new Date())) / 86400000);
  const day = days >= -1 && days <= 0
    ? new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }).format(days, 'day')
    : said({ day: 'numeric', month: 'long', year: 'numeric' });
  return `${day} ${clock}`;
}

function problem(section, view, words) {
  const back = ['dismiss', view.signed_in ? words['back-to-account'] : words['back']];
  const again = ['try-again', words['try-again']];
  const other_email = ['dismiss', words['other-email'], 'another'];
  const sign_in = [knownEmail() ? 'sign-in' : 'dismiss', words['sign-in-again']];
  const another_way = view.another_way ? [['another-way', words['another-way']]] : [];
  const offers = {
    try_again: [again, view.signed_in || !view.attempt ? back : other_email],
    change_email: [other_email, again, back],
    another_way: [...another_way, again, back],
    load_again: [again, ['continue-without-saving', words['continue-without-saving']]],
    keychain_again: [again, ['continue-without-saving', words['continue-without-saving']], back],
    sign_in: [sign_in, view.signed_in ? back : other_email],
  }[view.next];
  ['first', 'second', 'third'].forEach((part, i) => offer(section, part, offers[i]));
  section.querySelector('.reference').hidden = !words.reference;
  return `${view.code} ${view.attempt}`;
}

function when(section, condition, holds) {
  const elements = section.querySelectorAll(`[data-when="${condition}"]`);
  for (const element of elements) element.hidden = !holds;
}

// Gives a button its intent and its words; without an offer it is not there.
function offer(section, part, to) {
  const button = section.querySelector(`[data-part="${part}"]`);
  button.hidden = !to;
  if (!to) return;
  const [intent, words, step] = to;
  button.dataset.intent = intent;
  button.dataset.thenShow = step ?? '';
  write(button, words);
}
