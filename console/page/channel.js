// One channel: live messages, members, history, document, and a box to publish.

import { Rejected, call, get, path, query, tail } from './api.js';
import { card, clock, count, field, h, note, pill, table } from './dom.js';

const kept = 500; // lines of the live list
const first = 50; // messages of the history to begin with
const rest = 1500; // milliseconds before the live stream is opened again

const text = (value) => (value === undefined ? '' : JSON.stringify(value));

/** What an event of the live stream says; undefined for those that say nothing. */
function line({ type, timestamp, payload = {} }) {
	const head = [h('time', {}, clock(payload.timestamp || timestamp || Date.now()))];
	switch (type) {
		case 'message':
			return h('li', {}, head, payload.offset && h('span', { class: 'tag' }, '#' + payload.offset), payload.event && h('span', { class: 'tag' }, payload.event),
				(payload.sender || 'server') + (payload.to ? ' → ' + payload.to : '') + ': ', payload.tags?.redacted ? '(redacted)' : text(payload.content));
		case 'presence':
			return h('li', { class: 'dim' }, head, ['entered', 'left', 'updated'].filter((k) => payload[k]?.length).map((k) => k + ' ' + payload[k].join(', ')).join('; ') || `${payload.count} present`);
		case 'gap':
			return h('li', { class: 'gap' }, head, `gap: messages were lost; it goes on behind #${payload.offset}`);
		case 'remote-change':
			return h('li', {}, head, h('span', { class: 'tag' }, 'version ' + payload.serverVersion), text(payload.patch));
		default:
			return undefined;
	}
}

function publishBox(name, say) {
	const content = h('textarea', { 'aria-label': 'Content', placeholder: '{"text": "hello"}', spellcheck: 'false' });
	const event = h('input', { placeholder: 'none', autocomplete: 'off' });
	return h('form', {
		onsubmit: async (e) => {
			e.preventDefault();
			let value = content.value;
			try { value = JSON.parse(value); } catch { /* what is no JSON is a string */ }
			try {
				const done = await call('POST', path('channels', name, 'messages'), { body: { content: value, event: event.value || undefined } });
				say(note('Published' + (done.offset ? ' at #' + done.offset : '') + '.', 'good'));
			} catch (error) {
				say(note(error.message, 'bad'));
			}
		},
	}, content, h('div', { class: 'row' }, field('Event', event), h('button', { class: 'main' }, 'Publish')));
}

export function channel(view, name) {
	const list = h('ol', { class: 'log', 'aria-label': 'Live messages' });
	const live = pill('connecting'), members = h('div'), documentBox = h('div'), said = h('div');
	const empty = h('p', { class: 'empty' }, 'No message yet. It appears here when it is published.');
	const stop = new AbortController();
	view.append(h('h1', {}, name), h('div', { class: 'grid' },
		h('section', { class: 'card' }, h('h2', {}, 'Live ', live), empty, list),
		card('Publish', said, publishBox(name, (n) => said.replaceChildren(n))),
		card('Members', members), card('Document', documentBox)));

	function take(event) {
		if (event.type === 'subscribed') {
			live.textContent = 'live'; live.className = 'pill good';
			for (const m of event.payload.messages || []) take({ type: 'message', timestamp: m.timestamp, payload: m });
			return;
		}
		const item = line(event);
		if (!item) return;
		empty.hidden = true;
		list.prepend(item);
		while (list.childElementCount > kept) list.lastElementChild.remove();
	}

	async function follow() {
		for (let history = first; !stop.signal.aborted; history = 0) {
			try {
				await tail([name], history, stop.signal, take);
			} catch (error) {
				if (stop.signal.aborted) return;
				if (error instanceof Rejected && error.status < 500) { // no second attempt has another answer
					live.textContent = error.message; live.className = 'pill bad';
					return;
				}
			}
			live.textContent = 'connecting again'; live.className = 'pill warn';
			await new Promise((wake) => setTimeout(wake, rest));
		}
	}
	follow();

	async function showMembers(signal) {
		const answer = await get(path('channels', name, 'presence') + query({ limit: 100 }), { signal });
		const users = answer.users || [];
		members.replaceChildren(table(['member', 'status'], users.map((id) => [h('span', { class: 'mono' }, id), answer.info?.[id]?.status || 'online']), 'Nobody is here.'),
			...(answer.count > users.length ? [h('p', { class: 'dim' }, `${count(answer.count)} in all`)] : []));
	}

	async function showDocument(signal) {
		const doc = await get(path('channels', name, 'document'), { signal });
		documentBox.replaceChildren(h('pre', {}, JSON.stringify(doc, null, 2)));
	}

	/** Shows a part, or says in its place why there is none. */
	async function part(box, show, signal, none) {
		try {
			await show(signal);
		} catch (error) {
			if (!(error instanceof Rejected) || error.status >= 500 || error.status === 401) throw error;
			box.replaceChildren(h('p', { class: 'empty' }, error.status === 404 || error.status === 403 ? none : error.message));
		}
	}

	return {
		every: 3000,
		refresh: (signal) => Promise.all([
			part(members, showMembers, signal, 'This channel has no presence.'),
			part(documentBox, showDocument, signal, 'This channel has no document.'),
		]),
		end: () => stop.abort(),
	};
}
