// The console: a login with an API key, and one view at a time.

import { Rejected, get, key } from './api.js';
import { channel } from './channel.js';
import { channels } from './channels.js';
import { connection, connections } from './connections.js';
import { h, note } from './dom.js';
import { explain } from './explain.js';
import { overview } from './overview.js';

const view = document.getElementById('view');
const state = document.getElementById('state');
const leave = document.getElementById('leave');

// A view is made by a function that fills the element. It may return: refresh(signal), which is called again and again;
// every, the pause between calls in milliseconds; end, which is called before another view comes.
const views = { '': overview, channels, channel, connections, connection, explain };

let stop = () => {};

function say(text, kind = '') {
	state.textContent = text;
	state.className = 'pill ' + kind;
}

function login(problem) {
	stop();
	leave.hidden = true;
	say('');
	const input = h('input', { type: 'password', autocomplete: 'off', required: true, 'aria-label': 'API key', placeholder: 'API key' });
	view.replaceChildren(h('form', {
		class: 'card login', onsubmit: (e) => { e.preventDefault(); key.set(input.value.trim()); show(); },
	}, h('h2', {}, 'Realtime console'), problem && note(problem, 'bad'),
	h('p', { class: 'dim' }, 'Enter an API key that may manage the hub. It stays in this tab until you close it.'), input, h('button', { class: 'main' }, 'Open')));
	input.focus();
}

function failed(error) {
	if (error instanceof Rejected && (error.status === 401 || error.status === 403)) {
		key.forget();
		login(error.status === 401 ? 'The server does not know this key.' : 'This key may not manage the hub.');
		return;
	}
	say(error instanceof Rejected ? error.message : 'the server can not be reached', 'bad');
}

/** Shows the view of the address, and ends the one before. */
function show() {
	if (!key.get()) return login();
	stop();
	leave.hidden = false;
	const [, name = '', argument = ''] = location.hash.split('/');
	const make = views[name] || overview;
	for (const link of document.querySelectorAll('nav a')) {
		const here = link.hash === '#/' + ({ channel: 'channels', connection: 'connections' }[name] ?? name);
		if (here) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
	}
	view.replaceChildren();
	view.focus({ preventScroll: true });
	run(make(view, decodeURIComponent(argument)));
}

function run({ refresh, every, end }) {
	const abort = new AbortController();
	let timer;
	stop = () => { abort.abort(); clearTimeout(timer); end?.(); stop = () => {}; };
	async function again() {
		try {
			await (refresh ? refresh(abort.signal) : get('/stats', { signal: abort.signal }));
			if (!abort.signal.aborted) say('connected', 'good');
		} catch (error) {
			if (abort.signal.aborted) return;
			failed(error);
		}
		if (!abort.signal.aborted && every) timer = setTimeout(again, document.hidden ? every * 5 : every);
	}
	again();
}

leave.addEventListener('click', () => { key.forget(); login(); });
addEventListener('hashchange', show);
show();
