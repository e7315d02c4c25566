// The HTTP API. The page is at <path>/console/, the API at <path>.

const base = new URL('..', location.href).pathname.replace(/\/$/, '');
const slot = 'realtime-console-key';

/** An answer of the server that is an error. */
export class Rejected extends Error {
	constructor(status, problem) {
		super(problem.detail || problem.title || 'The server answered ' + status + '.');
		this.status = status;
		this.code = problem.code;
	}
}

// The key lives as long as the tab: it is never written to disk by the page.
export const key = {
	get: () => sessionStorage.getItem(slot),
	set: (value) => sessionStorage.setItem(slot, value),
	forget: () => sessionStorage.removeItem(slot),
};

/** A path of segments, each escaped. */
export const path = (...segments) => '/' + segments.map(encodeURIComponent).join('/');

/** A query of the values that are there. */
export function query(values) {
	const q = new URLSearchParams();
	for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== '') q.append(name, value);
	const text = q.toString();
	return text && '?' + text;
}

async function open(method, uri, { body, signal } = {}) {
	const headers = { Authorization: 'Bearer ' + key.get() };
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	const answer = await fetch(base + uri, { method, headers, signal, credentials: 'omit', cache: 'no-store', body: body && JSON.stringify(body) });
	if (answer.ok) return answer;
	throw new Rejected(answer.status, await answer.json().catch(() => ({})));
}

/** Sends a request and returns the JSON of the answer; undefined if it has none. */
export async function call(method, uri, options) {
	const text = await (await open(method, uri, options)).text();
	return text ? JSON.parse(text) : undefined;
}

export const get = (uri, options) => call('GET', uri, options);

/** Hands each line of a live stream to take, until the stream ends or the signal aborts it. */
export async function tail(channels, history, signal, take) {
	const q = new URLSearchParams(channels.map((c) => ['channel', c]));
	if (history) q.append('history', history);
	const answer = await open('GET', '/tail?' + q, { signal });
	const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
	for (let rest = ''; ;) {
		const { done, value } = await reader.read();
		if (done) return;
		const lines = (rest + value).split('\n');
		rest = lines.pop();
		for (const line of lines) if (line) take(JSON.parse(line));
	}
}
