package attacks

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// attackAdmission take from others the way in, and get in after they were sent away.
func attackAdmission(w *world) []attack {
	return []attack{
		{"an address connects and drops in a loop", "all 4 others are served", func(t *testing.T) string {
			for range 200 {
				a := w.doors.send(t, request{"GET", "/rt", handshake(), ""})
				if s := a.String(); s != "101" && s != "429 RATE_LIMITED" {
					return s
				}
			}
			return w.doors.neighbours(t, 4)
		}},
		{"an address asks all it can of an app that takes 2.5 s", "all 8 others are served", func(t *testing.T) string {
			return w.slow.askAll(t, 150, 8)
		}},
		{"a user is banned and kicked while the app is asked", "403 FORBIDDEN", func(t *testing.T) string {
			answered := make(chan string)
			go func() {
				answered <- w.slow.send(t, request{"GET", "/rt", handshake("Cookie: session=banned"), ""}).String()
			}()
			select {
			case <-w.app.asked:
			case <-time.After(patience):
				return "the app is not asked"
			}
			w.app.banned.Store(true)
			if a := w.slow.send(t, request{"DELETE", "/rt/users/mallory/connections", []string{bearer(appKey)}, ""}); a.status != 200 {
				return "the kick is answered with " + a.String()
			}
			close(w.app.release)
			return <-answered
		}},
	}
}

// neighbours connects from another address, all at once.
func (s target) neighbours(t *testing.T, n int) string {
	var served atomic.Int64
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if s.neighbour(t) == "served" {
				served.Add(1)
			}
		})
	}
	all.Wait()
	if served.Load() < int64(n) {
		return fmt.Sprintf("%d of %d others are served", served.Load(), n)
	}
	return fmt.Sprintf("all %d others are served", n)
}

// askAll has an address keep so many handshakes open, each with a question of its own,
// and meanwhile some of another address come.
func (s target) askAll(t *testing.T, many, others int) string {
	stop := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(stop)
	for i := range many {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				conn, err := net.Dial("tcp", string(s))
				if err != nil {
					return
				}
				_ = conn.SetDeadline(time.Now().Add(patience))
				_, _ = newClient(conn).shake(string(s), []string{fmt.Sprintf("Cookie: session=%d-%d", i, n)})
				_ = conn.Close()
			}
		})
	}
	time.Sleep(time.Second) // they have all that they get
	return s.neighbours(t, others)
}

// slowApp answers authorize: slowly, and about one user when it is told to.
type slowApp struct {
	address        string
	asked, release chan struct{}
	banned         atomic.Bool
}

func startSlowApp(t *testing.T) *slowApp {
	a := &slowApp{asked: make(chan struct{}, 1), release: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err != nil || c.Value != "banned" {
			time.Sleep(2500 * time.Millisecond)
			return
		}
		if a.banned.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		a.asked <- struct{}{}
		<-a.release
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"user":"mallory"}`))
	}))
	t.Cleanup(server.Close)
	a.address = server.Listener.Addr().String()
	return a
}
