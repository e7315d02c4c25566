/** A typed set of listeners: `Events` maps the name of an event to its argument. */
export declare class Emitter<Events extends object> {
    #private;
    /** Calls `listener` for each event of this name. The returned function removes the listener. */
    on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void;
    /** Calls `listener` for the next event of this name only. The returned function removes the listener before that. */
    once<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void;
    off<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): void;
}
