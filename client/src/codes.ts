// The codes of the protocol, with the comments of the server's tables (package protocol,
// codes.go). A test of that package compares them, and writes them with -update.

/** Kinds of errors that the server answers with. */
export const ErrorCode = {
  /** The frame, or the body of a request, is not one valid JSON text. The message says at which byte. */
  INVALID_JSON: 'INVALID_JSON',
  /** The frame is JSON, but a field is missing, has the wrong type, appears twice or is out of range, or values are nested too deeply. */
  INVALID_MESSAGE: 'INVALID_MESSAGE',
  /** This version of the protocol has no command of this type. */
  UNKNOWN_TYPE: 'UNKNOWN_TYPE',
  /** A channel name has 1 to 255 bytes of UTF-8. It has no control characters, no wildcards and no space at either end, and is not "." or "..". Over HTTP, the app with its API key gets this code with the status 404 if no room opens the channel. */
  INVALID_CHANNEL: 'INVALID_CHANNEL',
  /** The command needs a user and the connection is anonymous, or the server did not accept the credentials. */
  UNAUTHORIZED: 'UNAUTHORIZED',
  /** Get a new token and authenticate again. The connection stays open. */
  TOKEN_EXPIRED: 'TOKEN_EXPIRED',
  /** The caller is known and may not do this. A channel that no room opens gets the same answer. */
  FORBIDDEN: 'FORBIDDEN',
  /** Subscribe to the channel first. */
  NOT_SUBSCRIBED: 'NOT_SUBSCRIBED',
  /** The connection is already subscribed to the channel. Nothing was changed. */
  ALREADY_SUBSCRIBED: 'ALREADY_SUBSCRIBED',
  /** The member that the message is for is not in the channel. Nothing was sent. */
  NOT_PRESENT: 'NOT_PRESENT',
  /** Read the current state and try again with it. A message gets this code, over HTTP with the status 422, if its idempotency key belongs to another message: send it with a new key. */
  CONFLICT: 'CONFLICT',
  /** Send less at once, or raise the limit in the server's configuration. */
  TOO_LARGE: 'TOO_LARGE',
  /** The message says where the content differs from the room's schema. */
  SCHEMA_VIOLATION: 'SCHEMA_VIOLATION',
  /** Wait for `retryAfter`, then send more slowly. */
  RATE_LIMITED: 'RATE_LIMITED',
  /** A number has reached its limit, for example that of channels or connections. Give one up first. */
  LIMIT_EXCEEDED: 'LIMIT_EXCEEDED',
  /** The server cannot do this now. Try again after `retryAfter`, or with growing pauses. */
  UNAVAILABLE: 'UNAVAILABLE',
  /** The server has a fault. Its log has the details. */
  INTERNAL: 'INTERNAL',
} as const;

export type ErrorCode = keyof typeof ErrorCode;

/** The errors after which the same command may succeed later. */
export const temporaryErrors: readonly string[] = ['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'];

/** Codes with which a connection is closed. */
export const CloseCode = {
  /** The client or the server closed the connection as intended. */
  NORMAL: 1000,
  /** The server is shutting down. */
  GOING_AWAY: 1001,
  /** The client broke the rules of WebSocket framing. */
  PROTOCOL_ERROR: 1002,
  /** The client sent a binary frame. This protocol has only text frames. */
  UNSUPPORTED_DATA: 1003,
  /** The connection broke without a close code. The server never sends this code; clients and logs show it. */
  LOST: 1006,
  /** The client sent text that is not UTF-8. */
  INVALID_DATA: 1007,
  /** The client kept sending what the server rejected, or far too much. */
  POLICY_VIOLATION: 1008,
  /** A frame was larger than the server accepts. */
  TOO_LARGE: 1009,
  /** The server has a fault. */
  INTERNAL: 1011,
  /** The node restarts or drains. Reconnect after the time in `reconnect`. */
  RESTART: 1012,
  /** The server cannot serve the connection now. */
  TRY_LATER: 1013,
  /** The client asked for a version of the protocol that this server does not support. */
  VERSION: 4400,
  /** The credentials are no longer valid. Connect with new ones. */
  UNAUTHORIZED: 4401,
  /** The app disconnected this user or this connection. */
  FORBIDDEN: 4403,
  /** The client did not read fast enough. Recovery brings the messages that it missed. */
  SLOW: 4500,
  /** The client did not answer pings in time. */
  SILENT: 4501,
  /** The configuration changed, and this connection's hub no longer exists. */
  REPLACED: 4502,
  /** The token expired and was not renewed with `authenticate`. Get a new token, then reconnect. */
  TOKEN_EXPIRED: 4503,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The registered close codes after which a client stays away. Of the others, 4000-4499 do the same. */
export const finalCloses: readonly number[] = [1000, 1002, 1003, 1007, 1008, 1009, 1010];
