/** Kinds of errors that the server answers with. */
export declare const ErrorCode: {
    /** The frame is not one JSON text in UTF-8. */
    readonly INVALID_JSON: 'INVALID_JSON';
    /** A field is missing, has the wrong type, is given twice or is out of range. */
    readonly INVALID_MESSAGE: 'INVALID_MESSAGE';
    /** No command has this type. */
    readonly UNKNOWN_TYPE: 'UNKNOWN_TYPE';
    /** Not a valid channel name. */
    readonly INVALID_CHANNEL: 'INVALID_CHANNEL';
    /** The command needs a user, or the credentials were not accepted. */
    readonly UNAUTHORIZED: 'UNAUTHORIZED';
    /** The token has expired. */
    readonly TOKEN_EXPIRED: 'TOKEN_EXPIRED';
    /** The caller is known and may not do this. */
    readonly FORBIDDEN: 'FORBIDDEN';
    /** The connection is not subscribed to the channel. */
    readonly NOT_SUBSCRIBED: 'NOT_SUBSCRIBED';
    /** The connection is subscribed to the channel already. */
    readonly ALREADY_SUBSCRIBED: 'ALREADY_SUBSCRIBED';
    /** Nobody whom the message is for is in the channel. */
    readonly NOT_PRESENT: 'NOT_PRESENT';
    /** Conflicts with the current state. */
    readonly CONFLICT: 'CONFLICT';
    /** More than the server accepts at once. */
    readonly TOO_LARGE: 'TOO_LARGE';
    /** The content does not match the room's schema. */
    readonly SCHEMA_VIOLATION: 'SCHEMA_VIOLATION';
    /** Too fast; may succeed after `retryAfter`. */
    readonly RATE_LIMITED: 'RATE_LIMITED';
    /** A number is bounded, of channels or connections for instance. */
    readonly LIMIT_EXCEEDED: 'LIMIT_EXCEEDED';
    /** The server cannot do this now; may succeed later. */
    readonly UNAVAILABLE: 'UNAVAILABLE';
    /** The fault is the server's; may succeed later. */
    readonly INTERNAL: 'INTERNAL';
};
export type ErrorCode = keyof typeof ErrorCode;
/** The errors after which the same command may succeed later. */
export declare const temporaryErrors: readonly string[];
/** Codes with which a connection is closed. */
export declare const CloseCode: {
    /** The client asked for it, or the conversation is over. */
    readonly NORMAL: 1000;
    /** The server is shutting down. */
    readonly GOING_AWAY: 1001;
    /** The client broke the rules of WebSocket framing. */
    readonly PROTOCOL_ERROR: 1002;
    /** The client sent a binary frame. */
    readonly UNSUPPORTED_DATA: 1003;
    /** Nobody said goodbye. */
    readonly LOST: 1006;
    /** The client sent text that is not UTF-8. */
    readonly INVALID_DATA: 1007;
    /** The client went on sending what was refused, or far too much. */
    readonly POLICY_VIOLATION: 1008;
    /** A frame was larger than the server accepts. */
    readonly TOO_LARGE: 1009;
    /** The fault is the server's. */
    readonly INTERNAL: 1011;
    /** The node restarts or drains. */
    readonly RESTART: 1012;
    /** The server has too much to do. */
    readonly TRY_LATER: 1013;
    /** The client asked for a version of the protocol that the server does not speak. */
    readonly VERSION: 4400;
    /** The credentials are no longer good. */
    readonly UNAUTHORIZED: 4401;
    /** The application disconnected this user. */
    readonly FORBIDDEN: 4403;
    /** The client did not read fast enough. */
    readonly SLOW: 4500;
    /** Pings were not answered in time. */
    readonly SILENT: 4501;
    /** The hub of this connection is gone. */
    readonly REPLACED: 4502;
    /** The token expired and was not renewed. */
    readonly TOKEN_EXPIRED: 4503;
};
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
/** The registered close codes after which a client stays away. Of the others, 4000-4499 do the same. */
export declare const finalCloses: readonly number[];
