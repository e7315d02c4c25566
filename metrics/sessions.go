package metrics

import "github.com/caddy-realtime/caddy-realtime/node"

var sessions = []metric{
	counter("rejections_total", "Commands and requests that were answered with an error, by code.", func(s *node.Stats, e emitter) {
		for r, n := range s.Sessions.Rejected {
			e.count(n, r.Action, string(r.Code))
		}
	}, "action", "code"),
	counter("rate_limited_total", "Commands and requests that a rate limit rejected.", func(s *node.Stats, e emitter) {
		for limit, n := range s.Sessions.RateLimited {
			e.count(n, limit)
		}
	}, "limit"),
	counter("document_changes_total", "Proposed changes of documents, by what became of them.", func(s *node.Stats, e emitter) {
		for outcome, n := range s.Sessions.Changes {
			e.count(n, outcome)
		}
	}, "outcome"),
	counter("document_divergences_total", "Documents that were read anew because this node had another state than others.", func(s *node.Stats, e emitter) {
		e.count(s.Documents.Divergences)
	}),
	counter("app_requests_total", "Requests to the app, by the option that makes them and what came of them.", func(s *node.Stats, e emitter) {
		for option, calls := range s.Apps {
			for outcome, n := range calls.Outcomes {
				e.count(n, option, outcome)
			}
		}
	}, "option", "outcome"),
	histogram("app_request_seconds", "How long the app took to answer.", func(s *node.Stats, e emitter) {
		for option, calls := range s.Apps {
			e.durations(calls.Delays, option)
		}
	}, "option"),
}
