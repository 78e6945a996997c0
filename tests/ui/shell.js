// Stands where the shell stands, for tests and for looking: hands in the drawings that the real shell would, notes what is asked.
// `index.html#NAME` shows one drawing; `show(NAME)` shows another.
(() => {
  const drawings = window.DRAWINGS;
  const noted = { asked: [], wrong: [] };
  let channel = null;
  const commands = {
    attach: (args) => {
      channel = args.channel;
      window.show(decodeURIComponent(location.hash.slice(1)) || 'signed_out');
    },
    intent: ({ intent }) => noted.asked.push([intent.name, intent.email ?? intent.account ?? intent.session ?? null]),
    zoom: ({ step }) => noted.asked.push(['zoom', step]),
    read_settings_again: () => noted.asked.push(['read_settings_again', null]),
  };
  window.noted = noted;
  window.draw = (drawing) => channel.onmessage(drawing);
  window.show = (name) => window.draw(drawings[name]);
  window.__TAURI__ = {
    core: {
      Channel: class { onmessage = () => {}; },
      invoke: async (command, args) => commands[command](args),
    },
  };
  const error = console.error;
  console.error = (...words) => { noted.wrong.push(words.join(' ')); error(...words); };
  addEventListener('error', (event) => noted.wrong.push(String(event.message)));
  addEventListener('unhandledrejection', (event) => noted.wrong.push(String(event.reason)));
  addEventListener('securitypolicyviolation', (event) => noted.wrong.push(`${event.violatedDirective} ${event.blockedURI}`));
})();
