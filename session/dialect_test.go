package session_test

import (
	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func init() { session.SpeakInTests(native.Dialect{}) }
