// Servers that help pages in different networks to reach each other. The site has none unless its
// Caddyfile has `turn`; then pages on one network reach each other all the same.
let servers = { iceServers: [], expires: 0 };

/** Gets credentials for the servers, if there are some and those from before are about to expire. */
export async function prepare() {
  if (servers.expires > Date.now() + 60_000) return;
  const answer = await fetch("/realtime/turn", { method: "POST" }).catch(() => null);
  if (answer?.status === 200) servers = await answer.json();
  else if (answer?.status === 204) servers.expires = Infinity; // the site has none
}

/**
 * A call with one other page. Both may begin it, and change it, at any time: when their
 * offers cross, the polite one gives way ("perfect negotiation", as in the standard).
 * Events: `text` and `stream` with a detail, `open`, and `close` once.
 */
export class Peer extends EventTarget {
  #pc = new RTCPeerConnection({ iceServers: servers.iceServers });
  #polite;
  #signal;
  #offering = false;
  #answering = false;
  #ignored = false;
  #closed = false;
  // Both make the same channel, so that none has to be announced.
  #channel = this.#pc.createDataChannel("chat", { negotiated: true, id: 0 });

  /** `signal` sends something to the other page, whose Peer receives it. */
  constructor(polite, signal) {
    super();
    this.#polite = polite;
    this.#signal = signal;
    this.#pc.onnegotiationneeded = () => this.#offer();
    this.#pc.onicecandidate = ({ candidate }) => candidate && signal({ candidate });
    this.#pc.ontrack = ({ streams: [stream] }) => {
      this.#tell("stream", stream);
      stream.onremovetrack = () => this.#tell("stream", null);
    };
    this.#pc.onconnectionstatechange = () => this.#pc.connectionState === "failed" && this.close();
    this.#channel.onopen = () => this.#tell("open");
    this.#channel.onclose = () => this.close();
    this.#channel.onmessage = ({ data }) => this.#tell("text", data);
  }

  send(text) {
    this.#channel.send(text);
  }

  /** Shows the other page a stream, or with null nothing any more. */
  show(stream) {
    for (const sender of this.#pc.getSenders()) if (sender.track) this.#pc.removeTrack(sender);
    for (const track of stream?.getTracks() ?? []) this.#pc.addTrack(track, stream);
  }

  /** Takes what the other page has signalled. */
  async receive({ description, candidate }) {
    if (candidate) {
      // Those of an offer that was ignored mean nothing here.
      return this.#pc.addIceCandidate(candidate).catch((error) => this.#ignored || Promise.reject(error));
    }
    const offer = description.type === "offer";
    const busy = this.#offering || (this.#pc.signalingState !== "stable" && !this.#answering);
    this.#ignored = offer && busy && !this.#polite;
    if (this.#ignored) return;
    this.#answering = !offer;
    await this.#pc.setRemoteDescription(description); // takes an offer of its own back
    this.#answering = false;
    if (!offer) return;
    await this.#pc.setLocalDescription();
    this.#signal({ description: this.#pc.localDescription });
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#pc.close();
    this.#tell("close");
  }

  async #offer() {
    this.#offering = true;
    try {
      await this.#pc.setLocalDescription();
      this.#signal({ description: this.#pc.localDescription });
    } finally {
      this.#offering = false;
    }
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
