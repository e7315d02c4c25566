// Small helpers to build the page. Texts from the server are always text, never markup.

/** Makes an element: attributes and listeners (onclick), then children, which are elements or texts. */
export function h(name, attributes = {}, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (value === undefined || value === null || value === false) continue;
		if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
		else element.setAttribute(key, value === true ? '' : String(value));
	}
	element.append(...children.flat().filter((child) => child !== undefined && child !== null));
	return element;
}

/** A table with a head; rows are lists of cells. Columns with a # before the name are numbers. */
export function table(head, rows, empty) {
	if (!rows.length) return h('p', { class: 'empty' }, empty);
	const number = head.map((name) => name.startsWith('#'));
	return h('div', { class: 'scroll' }, h('table', {},
		h('thead', {}, h('tr', {}, head.map((name, i) => h('th', { class: number[i] && 'number', scope: 'col' }, name.replace('#', ''))))),
		h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell, i) => h('td', { class: number[i] && 'number' }, cell ?? '–')))))));
}

export const card = (title, ...children) => h('section', { class: 'card' }, h('h2', {}, title), ...children);
export const note = (text, kind = '') => h('p', { class: 'note ' + kind, role: kind === 'bad' ? 'alert' : 'status' }, text);
export const pill = (text, kind = '') => h('span', { class: 'pill ' + kind }, text);
export const channelLink = (name) => h('a', { href: '#/channel/' + encodeURIComponent(name), class: 'mono' }, name);
export const connectionLink = (id) => h('a', { href: '#/connection/' + encodeURIComponent(id), class: 'mono' }, id);
export const field = (label, control) => h('label', { class: 'field' }, label, control);

const integer = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const decimal = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

export const count = (n) => (n === undefined || n === null ? '–' : Math.abs(n) < 100 ? decimal.format(n) : integer.format(n));

export function bytes(n) {
	if (n === undefined) return '–';
	const units = ['B', 'KiB', 'MiB', 'GiB'];
	let i = 0;
	for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
	return decimal.format(n) + ' ' + units[i];
}

/** How long ago a time in milliseconds was. */
export function ago(time, now = Date.now()) {
	const s = Math.max(0, Math.round((now - time) / 1000));
	if (s < 60) return s + ' s';
	if (s < 3600) return Math.floor(s / 60) + ' min';
	if (s < 172800) return Math.floor(s / 3600) + ' h ' + (Math.floor(s / 60) % 60) + ' min';
	return Math.floor(s / 86400) + ' days';
}

export const clock = (time) => new Date(time).toLocaleTimeString([], { hour12: false }) + '.' + String(time % 1000).padStart(3, '0');

/** What is missing from an answer over all nodes; undefined if nothing is. */
export function partial(answer) {
	if (answer.missing) return note(`${answer.missing} of ${answer.missing + answer.nodes} nodes did not answer: something may be missing here.`, 'warn');
	if (answer.partial) return note('Other nodes, or Redis, can not be reached: something may be missing here.', 'warn');
	return undefined;
}
