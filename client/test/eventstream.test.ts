import assert from 'node:assert/strict';
import test from 'node:test';
import { EventStreamParser } from '../src/eventstream.js';

/** What a stream says, cut into pieces of a size. */
function parse(text: string, size: number): string[] {
  const said: string[] = [];
  const parser = new EventStreamParser({
    event: (data) => said.push(data),
    cursor: (id) => said.push(`id=${id}`),
    retry: (ms) => said.push(`retry=${ms}`),
  });
  for (let i = 0; i < text.length; i += size) parser.push(text.slice(i, i + size));
  return said;
}

const cases: [string, string, string[]][] = [
  ['an event', 'data: x\n\n', ['x']],
  ['no space', 'data:x\n\n', ['x']],
  ['only one space is dropped', 'data:  x\n\n', [' x']],
  ['several lines', 'data: a\ndata\ndata: b\n\n', ['a\n\nb']],
  ['comments and unknown fields', ': x\ncolour: red\nevent: news\ndata: x\n\n', ['x']],
  ['colons in the value', 'data: a:b: c\n\n', ['a:b: c']],
  ['CRLF', 'data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n', ['a\nb', 'c']],
  ['CR', 'data: a\rdata: b\r\rdata: c\r\r', ['a\nb', 'c']],
  ['an id with data', 'id: 7\ndata: x\n\n', ['id=7', 'x']],
  ['an id alone', 'id: 7\n\n', ['id=7']],
  ['an id that is not dispatched', 'id: 7\n', []],
  ['an id with NUL', 'id: 7\0\ndata: x\n\n', ['x']],
  ['retry', 'retry: 100\nretry: 1s\nretry:\n\n', ['retry=100']],
  ['empty data', 'data\n\n', ['']],
  ['no data', 'event: x\n\n', []],
  ['an unfinished event', 'data: x\n', []],
  ['letters of two units', 'data: 😀\n\n', ['😀']],
];

for (const [name, text, expected] of cases) {
  test(name, () => {
    for (const size of [1, 2, 3, 5, 1000]) {
      const said = parse(text, size).filter((line, i, all) => line !== all[i - 1] || !line.startsWith('id='));
      assert.deepEqual(said, expected, `in pieces of ${size}`);
    }
  });
}
