// The list of connections, and one connection.

import { call, get, path, query } from './api.js';
import { ago, bytes, card, channelLink, connectionLink, count, field, h, note, partial, table } from './dom.js';

const queue = (q) => (q?.messages ? `${count(q.messages)} · ${bytes(q.bytes)}` : 'empty');

export function connections(view) {
	const again = () => refresh().catch(() => {});
	const input = (placeholder) => h('input', { type: 'search', placeholder, autocomplete: 'off', onchange: again });
	const user = input('ann'), address = input('203.0.113.0/24'), channel = input('chat:42');
	const sort = h('select', { onchange: again }, h('option', { value: 'queue' }, 'fullest queue first'), h('option', { value: 'age' }, 'oldest first'));
	const list = h('div'), warning = h('div');
	view.append(h('h1', {}, 'Connections'), h('div', { class: 'row' }, field('User', user), field('Address', address), field('Channel', channel), field('Order', sort)), warning, card('Connected now', list));

	async function refresh(signal) {
		const answer = await get('/connections' + query({ user: user.value, address: address.value, channel: channel.value, sort: sort.value, limit: 100 }), { signal });
		warning.replaceChildren(...[partial(answer)].filter(Boolean));
		list.replaceChildren(table(['connection', 'user', 'address', 'transport', 'age', '#queue', '#channels', 'node'], answer.connections.map((c) => [
			connectionLink(c.connection), c.user || '–', c.address || '–', c.transport + (c.dialect && c.dialect !== 'native' ? ' · ' + c.dialect : ''),
			ago(c.since), queue(c.queue), count(c.subscriptions), h('span', { class: 'mono' }, c.node),
		]), 'Nobody is connected.'), ...(answer.more ? [h('p', { class: 'dim' }, 'There are more: narrow the list.')] : []));
	}

	return { every: 3000, refresh };
}

export function connection(view, id) {
	const facts = h('div'), said = h('div');
	const close = h('button', {
		class: 'danger', type: 'button', onclick: async () => {
			if (!confirm('Close this connection?')) return;
			try {
				await call('DELETE', path('connections', id));
				said.replaceChildren(note('Closed.', 'good'));
			} catch (error) {
				said.replaceChildren(note(error.message, 'bad'));
			}
		},
	}, 'Close connection');
	view.append(h('h1', { class: 'mono' }, id), said, card('Connection', facts), h('p', {}, close));

	async function refresh(signal) {
		let c;
		try {
			c = await get(path('connections', id), { signal });
		} catch (error) {
			if (error.status !== 404) throw error;
			facts.replaceChildren(h('p', { class: 'empty' }, 'This connection has ended.'));
			close.hidden = true;
			return;
		}
		const rows = [
			['user', c.user || 'anonymous'], ['address', c.address || '–'], ['transport', c.transport], ['dialect', c.dialect || 'native'], ['node', c.node],
			['connected', ago(c.since) + ' ago'], ['token expires', c.expires ? new Date(c.expires).toLocaleString() : '–'], ['queue', queue(c.queue)],
			['channels', h('span', {}, c.channels.flatMap((name) => [channelLink(name), ' ']), c.subscriptions > c.channels.length ? `and ${c.subscriptions - c.channels.length} more` : '')],
		];
		facts.replaceChildren(h('dl', {}, rows.flatMap(([term, value]) => [h('dt', {}, term), h('dd', {}, value)])));
	}

	return { every: 2000, refresh };
}
