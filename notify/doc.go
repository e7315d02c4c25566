// Package notify sends events to the app: what happened to connections, rooms, members,
// messages and documents. It knows no server and no store: an [Outbox] keeps the events, a
// [Sink] says which of them go where.
//
// # The way of an event
//
//  1. A backend records what happens in its [Outbox], together with the change itself, if the
//     [Choice] in force wants the event.
//  2. The outbox has one or more queues. All events of a channel are in one queue, and so are
//     all events of a connection. Each queue gives its events numbers that only grow.
//  3. A [Service] has a sender for each sink and queue. A sender claims the queue for its sink.
//     Only one sender in the whole cluster has the claim.
//  4. The sender takes a batch, makes a signed request of it (see [Secret]) and hands it to
//     [Sink.Post]. It takes the next batch when the app has answered this one.
//
// # What is guaranteed
//
// Each recorded event is delivered at least once, or a [Lost] event says how many events were
// not. The first delivery of an event is never before the first delivery of an earlier event of
// the same queue. A repeated event has the same id and the same number. A batch that fails is
// repeated with the same bytes; after the end of a sender the next one repeats the same events.
//
// There are two causes of a loss: the outbox was full, or the app did not accept a batch for
// the time of [Sink.Retry]. The outbox drops the newest events when it is full, so that the
// order stays right.
//
// # Goroutines
//
// A sender has one goroutine, from the [Service.Apply] that adds its sink to the one that
// removes it, or to [Service.Close]. While a request is under way it has a second one, which
// ends with the request.
//
// # Locks
//
// Service.mu is held while senders are started and stopped. Stopping waits for requests, which
// are aborted:
//
//	Service.mu > memory.Outbox.mu
//	Service.mu > redis.queue.mu
//	Service.mu > redis.holds.mu
//	Service.mu > waiting: the goroutines of removed sinks, whose contexts have ended
//
// A sender locks nothing while it calls the outbox or the app.
package notify
