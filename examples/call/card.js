import { Peer, prepare } from "./peer.js";

// How long a call rings, in ms.
const patience = 45_000;

/**
 * A call with one other page, and its card on this page. The states:
 *
 * - `calling`: this page rings at the other one.
 * - `ringing`: the other page rings here, and nothing is sent or shown before somebody accepts.
 * - `connecting`, `open`: accepted; a Peer makes the connection and has it.
 * - `closed`: over. The card stays until it is closed.
 *
 * The event `end` comes once.
 */
export class Call extends EventTarget {
  element = document.getElementById("call").content.cloneNode(true).firstElementChild;
  #state;
  #peer = null;
  #camera;
  #polite;
  #send;
  #answers; // the other page has called
  #ready = Promise.resolve(); // until the servers for the connection are known
  #timer = setTimeout(() => this.#giveUp(), patience);

  /** `send` sends something to the other page, whose Call receives it. */
  constructor({ name, state, camera, polite, send }) {
    super();
    this.#camera = camera;
    this.#polite = polite;
    this.#send = (content) => send(content).catch(() => this.end("cannot be reached"));
    this.rename(name);
    this.#find(".accept").addEventListener("click", () => this.#accept());
    this.#find(".end").addEventListener("click", () => this.#hangUp());
    this.#find(".sound").addEventListener("click", () => this.#play(false));
    this.#find("form").addEventListener("submit", (event) => this.#say(event));
    this.#enter(state, state === "calling" ? "calling …" : "is calling you");
    this.#answers = state === "ringing";
    if (this.#answers) return;
    this.#ready = prepare();
    this.#send({ ring: true });
  }

  rename(name) {
    this.#find("b").textContent = name;
  }

  /** Takes what the other page has sent. */
  receive(content) {
    if (content.bye) return this.end(this.#state === "calling" ? "declined" : "ended");
    // Two pages that ring at each other at the same time have both accepted.
    if ((content.accept || content.ring) && this.#state === "calling") return this.#accepted();
    if (!content.description && !content.candidate) return;
    if (this.#state !== "connecting" && this.#state !== "open") return; // not accepted
    this.#ready.then(() => {
      this.#connect();
      return this.#peer?.receive(content);
    }).catch(console.error);
  }

  /** Shows a camera to the other page, or with null nothing any more. */
  show(camera) {
    this.#camera = camera;
    this.#peer?.show(camera);
  }

  end(why) {
    if (this.#state === "closed") return;
    clearTimeout(this.#timer);
    this.#enter("closed", why);
    this.#picture(null);
    this.#peer?.close();
    this.dispatchEvent(new Event("end"));
  }

  // The page that has called makes the offer, with which the Peer of this page begins.
  #accept() {
    this.#ready = prepare();
    this.#accepted();
    this.#ready.then(() => this.#state === "closed" || this.#send({ accept: true }));
  }

  #accepted() {
    clearTimeout(this.#timer);
    this.#enter("connecting", "connecting");
    if (!this.#answers) this.#ready.then(() => this.#connect());
  }

  #connect() {
    if (this.#peer || this.#state === "closed") return;
    this.#peer = new Peer(this.#polite, this.#send);
    this.#peer.addEventListener("open", () => this.#enter("open", "connected"));
    this.#peer.addEventListener("text", ({ detail }) => this.#line(detail));
    this.#peer.addEventListener("stream", ({ detail }) => this.#picture(detail));
    this.#peer.addEventListener("close", () => this.end("ended"));
    if (this.#camera) this.#peer.show(this.#camera);
  }

  // Declines, hangs up, or closes the card.
  #hangUp() {
    if (this.#state !== "closed") this.#send({ bye: true });
    this.end("ended");
    this.element.remove();
  }

  #giveUp() {
    if (this.#state === "ringing") return this.end("has called");
    this.#send({ bye: true });
    this.end("does not answer");
  }

  #enter(state, text) {
    this.#state = this.element.dataset.state = state;
    this.#find("[role=status]").textContent = text;
    this.#find(".accept").hidden = state !== "ringing";
    this.#find(".end").textContent = { ringing: "Decline", calling: "Cancel", closed: "Close" }[state] ?? "Hang up";
    for (const control of this.#find("form").elements) control.disabled = state !== "open";
  }

  #picture(stream) {
    const video = this.#find("video");
    if (video.srcObject !== stream) video.srcObject = stream; // once for sound and picture
    video.hidden = !stream;
    this.#find(".sound").hidden = true;
    if (stream) this.#play(false);
  }

  // A browser may refuse to play sound on a page that nobody has touched. It then shows
  // a black picture, unless the page plays without sound.
  async #play(muted) {
    const video = this.#find("video");
    video.muted = muted;
    this.#find(".sound").hidden = !muted;
    try {
      await video.play();
    } catch (error) {
      if (error.name === "NotAllowedError" && !muted) await this.#play(true);
    }
  }

  #say(event) {
    event.preventDefault();
    const text = event.target.elements[0].value.trim();
    if (!text) return;
    event.target.reset();
    this.#peer.send(text);
    this.#line(text).className = "own";
  }

  #line(text) {
    const item = this.#find("ol").appendChild(document.createElement("li"));
    item.textContent = text;
    item.scrollIntoView({ block: "nearest" });
    return item;
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }
}
