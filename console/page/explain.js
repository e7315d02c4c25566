// Why somebody may, or may not, do something in a channel.

import { get, query } from './api.js';
import { card, field, h, note, table } from './dom.js';

export function explain(view) {
	const channel = h('input', { placeholder: 'chat:42', required: true, autocomplete: 'off' });
	const user = h('input', { placeholder: 'nobody: anonymous', autocomplete: 'off' });
	const action = h('select', {}, ['subscribe', 'publish', 'presence', 'history', 'change'].map((a) => h('option', {}, a)));
	const answer = h('div');

	async function ask(e) {
		e.preventDefault();
		try {
			const x = await get('/explain' + query({ [channel.value.includes('*') ? 'pattern' : 'channel']: channel.value, user: user.value, action: action.value }));
			const access = Object.entries(x.room?.access || {});
			answer.replaceChildren(note((x.allowed ? 'Allowed. ' : 'Not allowed. ') + x.text, x.allowed ? 'good' : 'bad'),
				...(x.authorize?.asked ? [note('The app is asked as well. It was not asked now.', 'warn')] : []),
				...(x.room ? [card(`Room block ${x.room.pattern} (number ${x.room.place} of ${x.room.of})`, table(['action', 'who may'], access, 'Nothing is said.'))] : []));
		} catch (error) {
			answer.replaceChildren(note(error.message, 'bad'));
		}
	}

	view.append(h('h1', {}, 'Explain'), h('form', { class: 'row', onsubmit: ask },
		field('May', user), field('do this', action), field('in the channel', channel), h('button', { class: 'main' }, 'Explain')), answer);
	return {};
}
