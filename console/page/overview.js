// The first view: numbers, plots over the last minutes, nodes.

import { get } from './api.js';
import { ago, bytes, card, count, h, partial, pill, table } from './dom.js';
import { plot } from './plot.js';

const words = (name) => name.replaceAll('_', ' ');
const total = (values, pattern) => Object.entries(values).filter(([name]) => pattern.test(name)).reduce((sum, [, n]) => sum + n, 0);

// The rates that are plotted: what a counter's name looks like.
const published = /^messages_published$/;
const delivered = /^deliveries$/;

/** A rate between two answers of /stats, for each second. */
function rate(before, now, pattern) {
	if (!before) return null;
	const seconds = (now.time - before.time) / 1000;
	return Math.max(0, total(now.counters, pattern) - total(before.counters, pattern)) / seconds;
}

// The gauges that come first, if they are there.
const first = ['connections', 'users', 'channels', 'subscriptions', 'members'];
const place = (name) => (first.indexOf(name) + first.length + 1) % (first.length + 1);

const shown = (name, value) => (name.endsWith('bytes') ? bytes(value) : count(value));

function state(node) {
	if (node.drain && node.drain.state === 'draining') return pill(`drains: ${node.drain.left} left`, 'warn');
	return node.ready ? pill('ready', 'good') : pill('not ready: ' + (node.reasons || []).join('; '), 'bad');
}

export function overview(view) {
	const tiles = h('div', { class: 'tiles' });
	const plots = [
		plot('Connections', ['connections']),
		plot('Messages a second', ['published', 'delivered']),
		plot('Bytes in queues', ['queue']),
	];
	const nodes = h('div'), counters = h('div'), warning = h('div');
	view.append(h('h1', {}, 'Overview'), warning, tiles, h('div', { class: 'grid' }, plots.map((p) => p.element)), h('div', { class: 'grid' }, card('Nodes', nodes), card('Counters', counters)));
	let before;

	async function refresh(signal) {
		const stats = await get('/stats', { signal });
		stats.time = performance.now();
		const { gauges, counters: counts } = stats, now = Date.now();
		warning.replaceChildren(...[partial(stats)].filter(Boolean));
		tiles.replaceChildren(...Object.entries(gauges).sort(([a], [b]) => place(a) - place(b)).map(([name, n]) => h('div', { class: 'tile' }, h('b', {}, shown(name, n)), h('span', {}, words(name)))));
		plots[0].add(now, [gauges.connections]);
		plots[1].add(now, [rate(before, stats, published), rate(before, stats, delivered)]);
		plots[2].add(now, [gauges.queue_bytes || 0]);
		nodes.replaceChildren(table(['node', 'host', '#connections', 'up for', 'state'],
			(stats.byNode || []).map((n) => [h('span', { class: 'mono' }, n.node), n.host, count(n.gauges.connections), ago(n.started), state(n)]), 'No node has answered.'));
		counters.replaceChildren(table(['since the start', '#number'], Object.entries(counts).filter(([, n]) => n).map(([name, n]) => [words(name), shown(name, n)]), 'Nothing has happened yet.'));
		before = stats;
	}

	return { every: 2000, refresh, end: () => plots.forEach((p) => p.end()) };
}
