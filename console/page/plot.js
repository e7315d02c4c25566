// Small plots over time, by uPlot.

import { count, h } from './dom.js';

const kept = 180; // points

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A plot with named lines. add takes one value for each; end removes it. */
export function plot(title, names) {
	const colours = ['--accent', '--good', '--warn'];
	const value = h('span', { class: 'dim' });
	const box = h('div', { class: 'plot' });
	const element = h('section', { class: 'card' }, h('h2', {}, title, ' ', value), box);
	const data = [[], ...names.map(() => [])];
	let chart;

	function draw() {
		if (chart || !box.clientWidth) return;
		const axis = { stroke: style('--dim'), grid: { stroke: style('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
		chart = new uPlot({
			width: box.clientWidth, height: 150, cursor: { show: false }, legend: { show: false },
			scales: { y: { range: (_, low, high) => [0, Math.max(1, high || 0) * 1.1] } },
			axes: [axis, { ...axis, size: 46, values: (_, ticks) => ticks.map(count) }],
			series: [{}, ...names.map((name, i) => ({ label: name, stroke: style(colours[i % colours.length]), width: 2, points: { show: false }, fill: i ? undefined : style('--soft') }))],
		}, data, box);
	}

	const watch = new ResizeObserver(() => chart && chart.setSize({ width: box.clientWidth, height: 150 }));
	const scheme = matchMedia('(prefers-color-scheme: dark)');
	const repaint = () => { chart?.destroy(); chart = undefined; draw(); };
	watch.observe(box);
	scheme.addEventListener('change', repaint);

	return {
		element,
		add(time, values) {
			data[0].push(time / 1000);
			values.forEach((v, i) => data[i + 1].push(v));
			if (data[0].length > kept) data.forEach((line) => line.shift());
			value.textContent = names.map((name, i) => (names.length > 1 ? name + ' ' : '') + count(values[i] ?? undefined)).join(' · ');
			draw();
			chart?.setData(data);
		},
		end() { watch.disconnect(); scheme.removeEventListener('change', repaint); chart?.destroy(); },
	};
}
