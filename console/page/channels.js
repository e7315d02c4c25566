// The list of active channels.

import { get, query } from './api.js';
import { bytes, card, channelLink, count, field, h, partial, table } from './dom.js';

export function channels(view) {
	const prefix = h('input', { type: 'search', placeholder: 'chat:', autocomplete: 'off', oninput: () => refresh().catch(() => {}) });
	const open = h('input', { placeholder: 'name of any channel', autocomplete: 'off' });
	const list = h('div'), warning = h('div');
	view.append(h('h1', {}, 'Channels'), h('div', { class: 'row' }, field('Begins with', prefix),
		h('form', { class: 'row', onsubmit: (e) => { e.preventDefault(); if (open.value) location.hash = '#/channel/' + encodeURIComponent(open.value); } }, field('Look into', open))),
	warning, card('Active now', list));

	async function refresh(signal) {
		const answer = await get('/channels' + query({ prefix: prefix.value, limit: 200 }), { signal });
		warning.replaceChildren(...[partial(answer)].filter(Boolean));
		list.replaceChildren(table(['channel', '#connections', '#members', 'document'], answer.channels.map((c) => [
			channelLink(c.channel), count(c.connections), c.members === undefined ? '–' : count(c.members),
			c.document ? `version ${c.document.version}, ${bytes(c.document.bytes)}` : '–',
		]), prefix.value ? 'No active channel begins with this.' : 'Nobody is subscribed to a channel.'),
		...(answer.more ? [h('p', { class: 'dim' }, 'There are more: narrow the list by the beginning of the name.')] : []));
	}

	return { every: 3000, refresh };
}
