package caddyhost

import (
	"net"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// brokenConn is a connection whose Close panics.
type brokenConn struct{ net.Conn }

func (brokenConn) Close() error { panic("close") }

// A connection that can not be closed costs itself, and its answer still ends.
func TestPanicInTheCutOfAnAnswer(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		b := &bounded{ResponseWriter: httptest.NewRecorder(), conn: brokenConn{}}
		_ = b.SetWriteDeadline(time.Now().Add(time.Second)) // which a recorder does not have
		time.Sleep(time.Second + stuckAfter)
		synctest.Wait()
		log.Once(t, "a connection that takes no answer", "close")
		b.end()
	})
}
