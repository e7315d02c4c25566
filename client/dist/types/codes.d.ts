/** Kinds of errors that the server answers with. */
export declare const ErrorCode: {
    /** The frame, or the body of a request, is not one valid JSON text. The message says at which byte. */
    readonly INVALID_JSON: 'INVALID_JSON';
    /** The frame is JSON, but a field is missing, has the wrong type, appears twice or is out of range, or values are nested too deeply. */
    readonly INVALID_MESSAGE: 'INVALID_MESSAGE';
    /** This version of the protocol has no command of this type. */
    readonly UNKNOWN_TYPE: 'UNKNOWN_TYPE';
    /** A channel name has 1 to 255 bytes of UTF-8. It has no control characters, no wildcards and no space at either end, and is not "." or "..". Over HTTP, the app with its API key gets this code with the status 404 if no room opens the channel. */
    readonly INVALID_CHANNEL: 'INVALID_CHANNEL';
    /** The command needs a user and the connection is anonymous, or the server did not accept the credentials. */
    readonly UNAUTHORIZED: 'UNAUTHORIZED';
    /** Get a new token and authenticate again. The connection stays open. */
    readonly TOKEN_EXPIRED: 'TOKEN_EXPIRED';
    /** The caller is known and may not do this. A channel that no room opens gets the same answer. */
    readonly FORBIDDEN: 'FORBIDDEN';
    /** Subscribe to the channel first. */
    readonly NOT_SUBSCRIBED: 'NOT_SUBSCRIBED';
    /** The connection is already subscribed to the channel. Nothing was changed. */
    readonly ALREADY_SUBSCRIBED: 'ALREADY_SUBSCRIBED';
    /** The member that the message is for is not in the channel. Nothing was sent. */
    readonly NOT_PRESENT: 'NOT_PRESENT';
    /** Read the current state and try again with it. A message gets this code, over HTTP with the status 422, if its idempotency key belongs to another message: send it with a new key. */
    readonly CONFLICT: 'CONFLICT';
    /** Send less at once, or raise the limit in the server's configuration. */
    readonly TOO_LARGE: 'TOO_LARGE';
    /** The message says where the content differs from the room's schema. */
    readonly SCHEMA_VIOLATION: 'SCHEMA_VIOLATION';
    /** Wait for `retryAfter`, then send more slowly. */
    readonly RATE_LIMITED: 'RATE_LIMITED';
    /** A number has reached its limit, for example that of channels or connections. Give one up first. */
    readonly LIMIT_EXCEEDED: 'LIMIT_EXCEEDED';
    /** The server cannot do this now. Try again after `retryAfter`, or with growing pauses. */
    readonly UNAVAILABLE: 'UNAVAILABLE';
    /** The server has a fault. Its log has the details. */
    readonly INTERNAL: 'INTERNAL';
};
export type ErrorCode = keyof typeof ErrorCode;
/** The errors after which the same command may succeed later. */
export declare const temporaryErrors: readonly string[];
/** Codes with which a connection is closed. */
export declare const CloseCode: {
    /** The client or the server closed the connection as intended. */
    readonly NORMAL: 1000;
    /** The server is shutting down. */
    readonly GOING_AWAY: 1001;
    /** The client broke the rules of WebSocket framing. */
    readonly PROTOCOL_ERROR: 1002;
    /** The client sent a binary frame. This protocol has only text frames. */
    readonly UNSUPPORTED_DATA: 1003;
    /** The connection broke without a close code. The server never sends this code; clients and logs show it. */
    readonly LOST: 1006;
    /** The client sent text that is not UTF-8. */
    readonly INVALID_DATA: 1007;
    /** The client kept sending what the server rejected, or far too much. */
    readonly POLICY_VIOLATION: 1008;
    /** A frame was larger than the server accepts. */
    readonly TOO_LARGE: 1009;
    /** The server has a fault. */
    readonly INTERNAL: 1011;
    /** The node restarts or drains. Reconnect after the time in `reconnect`. */
    readonly RESTART: 1012;
    /** The server cannot serve the connection now. */
    readonly TRY_LATER: 1013;
    /** The client asked for a version of the protocol that this server does not support. */
    readonly VERSION: 4400;
    /** The credentials are no longer valid. Connect with new ones. */
    readonly UNAUTHORIZED: 4401;
    /** The app disconnected this user or this connection. */
    readonly FORBIDDEN: 4403;
    /** The client did not read fast enough. Recovery brings the messages that it missed. */
    readonly SLOW: 4500;
    /** The client did not answer pings in time. */
    readonly SILENT: 4501;
    /** The configuration changed, and this connection's hub no longer exists. */
    readonly REPLACED: 4502;
    /** The token expired and was not renewed with `authenticate`. Get a new token, then reconnect. */
    readonly TOKEN_EXPIRED: 4503;
};
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
/** The registered close codes after which a client stays away. Of the others, 4000-4499 do the same. */
export declare const finalCloses: readonly number[];
