
// Cache channels, behind webhooks.mjs.
const latest = async (client, name) => {
  const channel = client.subscribe(name);
  const events = [];
  channel.bind_global((event, data) => events.push([event, data]));
  await event(channel, "pusher:subscription_succeeded");
  await new Promise((done) => setTimeout(done, 200));
  return events.slice(1);
};
const same = (what, is, should) => {
  if (JSON.stringify(is) !== JSON.stringify(should)) throw new Error(what + ": " + JSON.stringify(is));
  console.log(what);
};
for (const name of ["cache-x", "private-cache-x", "presence-cache-x"]) {
  const miss = await latest(ann, name);
  same("a miss in " + name, miss.map(([e]) => e), ["pusher:cache_miss"]);
  await expect("its webhook", occupied(name), ...(name.startsWith("presence") ? [member("member_added", name, "ann")] : []), { name: "cache_miss", channel: name });
  await server.trigger(name, "first", { n: 1 });
  await server.trigger(name, "second", { n: 2 });
  if (name !== "cache-x") ann.channel(name).trigger("client-x", { not: "cached" });
  await new Promise((done) => setTimeout(done, 100));
  same("the latest of " + name, await latest(bob, name), [["second", { n: 2 }]]);
  if (name.startsWith("presence")) await expect("bob", member("member_added", name, "bob"));
  const { cache } = await (await server.get({ path: "/channels/" + name, params: { info: "cache" } })).json();
  same("by HTTP", [cache.data, cache.ttl > 1700], ['{"n":2}', true]);
}
const ttl = async (name) => {
  await server.trigger(name, "kept", {});
  return (await (await server.get({ path: "/channels/" + name, params: { info: "cache" } })).json()).cache.ttl;
};
const brief = await ttl("cache-brief");
same("as long as the room keeps it", [brief > 50, brief <= 60], [true, true]);
same("without an end", await ttl("cache-kept"), undefined);
same("not a cache channel", (await server.get({ path: "/channels/news", params: { info: "cache" } }).catch((e) => e)).status, 400);
console.log("done");
process.exit(0);
