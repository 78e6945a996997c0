// Attaches to the shell: views come in over one channel, what the person wants goes out. No
// sentence, no secret and no storage in here.
import { draw } from './draw.js';
import { hearPerson } from './person.js';

const { Channel, invoke } = window.__TAURI__.core;

const channel = new Channel();
channel.onmessage = draw;
hearPerson(invoke);
await invoke('attach', { channel });
