// A page script that is not the app's: attaches its own channel, listens to everything, wraps everything, remembers all.
window.heard = [];
window.refused = [];
window.answered = [];
window.latest = null;
const remember = (kind, what) => {
  let text;
  try { text = typeof what === 'string' ? what : JSON.stringify(what); } catch { text = String(what); }
  window.heard.push(`${kind} ${text}`);
};
const { core, event } = window.__TAURI__;
for (const kind of ['message', 'storage', 'hashchange', 'popstate', 'error', 'unhandledrejection', 'securitypolicyviolation']) {
  addEventListener(kind, (e) => remember(kind, String(e.data ?? e.newValue ?? e.message ?? e.reason ?? e.blockedURI ?? '')), true);
}
for (const name of Object.keys(window)) {
  const value = window[name];
  if (typeof value === 'function' && /^(fetch|postMessage|open)$/.test(name)) {
    window[name] = (...args) => { remember(name, args.map(String)); return value.apply(window, args); };
  }
}
const parse = JSON.parse;
try { JSON.parse = (...args) => { remember('parse', args[0]); return parse(...args); }; } catch { /* frozen */ }
new MutationObserver(() => remember('page', document.documentElement.outerHTML)).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
const channel = new core.Channel();
channel.onmessage = (drawing) => { window.latest = drawing; remember('drawing', drawing); };
window.ask = (command, args) => core.invoke(command, args).then(
  (answer) => { window.answered.push(command); remember(`answer of ${command}`, answer ?? null); },
  (reason) => { window.refused.push(command); remember(`refusal of ${command}`, String(reason)); },
);
window.asked = Promise.all([
  ...arguments[0].map((name) => event.listen(name, (e) => remember(`event ${name}`, e)).then(
    () => window.answered.push(`listen ${name}`), (reason) => { window.refused.push(`listen ${name}`); remember('listen', String(reason)); })),
  ...arguments[1].map((command) => window.ask(command, {})),
  window.ask('attach', { channel }),
]);
