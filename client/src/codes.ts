// The codes of the protocol. This file mirrors the tables of the server (package
// protocol, codes.go and close.go) and holds nothing else, so that it can be
// generated from them.

/** Kinds of errors that the server answers with. */
export const ErrorCode = {
  /** The frame is not one JSON text in UTF-8. */
  INVALID_JSON: 'INVALID_JSON',
  /** A field is missing, has the wrong type, is given twice or is out of range. */
  INVALID_MESSAGE: 'INVALID_MESSAGE',
  /** No command has this type. */
  UNKNOWN_TYPE: 'UNKNOWN_TYPE',
  /** Not a valid channel name. */
  INVALID_CHANNEL: 'INVALID_CHANNEL',
  /** The command needs a user, or the credentials were not accepted. */
  UNAUTHORIZED: 'UNAUTHORIZED',
  /** The token has expired. */
  TOKEN_EXPIRED: 'TOKEN_EXPIRED',
  /** The caller is known and may not do this. */
  FORBIDDEN: 'FORBIDDEN',
  /** The connection is not subscribed to the channel. */
  NOT_SUBSCRIBED: 'NOT_SUBSCRIBED',
  /** The connection is subscribed to the channel already. */
  ALREADY_SUBSCRIBED: 'ALREADY_SUBSCRIBED',
  /** Nobody whom the message is for is in the channel. */
  NOT_PRESENT: 'NOT_PRESENT',
  /** Conflicts with the current state. */
  CONFLICT: 'CONFLICT',
  /** More than the server accepts at once. */
  TOO_LARGE: 'TOO_LARGE',
  /** The content does not match the room's schema. */
  SCHEMA_VIOLATION: 'SCHEMA_VIOLATION',
  /** Too fast; may succeed after `retryAfter`. */
  RATE_LIMITED: 'RATE_LIMITED',
  /** A number is bounded, of channels or connections for instance. */
  LIMIT_EXCEEDED: 'LIMIT_EXCEEDED',
  /** The server cannot do this now; may succeed later. */
  UNAVAILABLE: 'UNAVAILABLE',
  /** The fault is the server's; may succeed later. */
  INTERNAL: 'INTERNAL',
} as const;

export type ErrorCode = keyof typeof ErrorCode;

/** The errors after which the same command may succeed later. */
export const temporaryErrors: readonly string[] = ['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'];

/** Codes with which a connection is closed. */
export const CloseCode = {
  /** The client asked for it, or the conversation is over. */
  NORMAL: 1000,
  /** The server is shutting down. */
  GOING_AWAY: 1001,
  /** The client broke the rules of WebSocket framing. */
  PROTOCOL_ERROR: 1002,
  /** The client sent a binary frame. */
  UNSUPPORTED_DATA: 1003,
  /** Nobody said goodbye. */
  LOST: 1006,
  /** The client sent text that is not UTF-8. */
  INVALID_DATA: 1007,
  /** The client went on sending what was refused, or far too much. */
  POLICY_VIOLATION: 1008,
  /** A frame was larger than the server accepts. */
  TOO_LARGE: 1009,
  /** The fault is the server's. */
  INTERNAL: 1011,
  /** The node restarts or drains. */
  RESTART: 1012,
  /** The server has too much to do. */
  TRY_LATER: 1013,
  /** The client asked for a version of the protocol that the server does not speak. */
  VERSION: 4400,
  /** The credentials are no longer good. */
  UNAUTHORIZED: 4401,
  /** The application disconnected this user. */
  FORBIDDEN: 4403,
  /** The client did not read fast enough. */
  SLOW: 4500,
  /** Pings were not answered in time. */
  SILENT: 4501,
  /** The hub of this connection is gone. */
  REPLACED: 4502,
  /** The token expired and was not renewed. */
  TOKEN_EXPIRED: 4503,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The registered close codes after which a client stays away. Of the others, 4000-4499 do the same. */
export const finalCloses: readonly number[] = [1000, 1002, 1003, 1007, 1008, 1009, 1010];
