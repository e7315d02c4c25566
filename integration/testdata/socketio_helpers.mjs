// Drives socket.io-client, which is not ours, against a site. Each line is a check that has passed;
// "reload" and the like ask the test to do something.
import { createHmac } from "node:crypto";
import readline from "node:readline";

const { io } = await import(process.env.CLIENT);
const site = "http://" + process.env.SITE;
const transports = process.env.TRANSPORTS.split(",");
const say = (text) => console.log(text);
const equal = (what, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(what + ": " + JSON.stringify(got) + ", not " + JSON.stringify(want));
  say(what);
};
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (text) => { say(text); await lines.next(); };
const code = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (sub, secret = "a secret of 32 bytes, at the least") => {
  const text = code({ alg: "HS256", typ: "JWT" }) + "." + code({ sub, exp: Math.floor(Date.now() / 1000) + 600 });
  return text + "." + createHmac("sha256", secret).update(text).digest("base64url");
};
const event = (socket, name) => new Promise((done) => socket.once(name, (...args) => done(args)));
const asked = (socket, ...args) => new Promise((done) => socket.emit(...args, (...answer) => done(answer)));
const all = [];
const client = (options = {}, path = "/") => {
  const socket = io(site + path, { transports, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100, ...options });
  all.push(socket);
  return socket;
};
const connected = async (options, path) => {
  const socket = client(options, path);
  await event(socket, "connect");
  return socket;
};
