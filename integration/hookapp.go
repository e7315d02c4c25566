package integration

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// HookSecret signs the events of tests.
const HookSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

// HookApp is an app that is notified. It verifies each request, and checks the events.
type HookApp struct {
	*httptest.Server
	Events checker.Events

	t      testing.TB
	secret atomic.Pointer[string]
	// Answer decides what becomes of a request; nil: the app accepts it. It may use w.
	answer atomic.Pointer[func(w http.ResponseWriter, r *http.Request) (accept bool)]

	mu     sync.Mutex
	bodies map[string]string // by id of the request
}

// StartHookApp starts an app that accepts everything.
func StartHookApp(t testing.TB) *HookApp {
	t.Helper()
	a := &HookApp{t: t, bodies: make(map[string]string)}
	a.SetSecret(HookSecret)
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

// Addr is the address of the app, without a scheme.
func (a *HookApp) Addr() string { return strings.TrimPrefix(a.URL, "http://") }

// SetSecret changes the secret that the app verifies with.
func (a *HookApp) SetSecret(s string) { a.secret.Store(&s) }

// SetAnswer changes how the app answers.
func (a *HookApp) SetAnswer(f func(w http.ResponseWriter, r *http.Request) bool) {
	if f == nil {
		a.answer.Store(nil)
		return
	}
	a.answer.Store(&f)
}

func (a *HookApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender gave up
	}
	if !a.genuine(r, body) {
		a.t.Errorf("a request is not signed by %s: %v", *a.secret.Load(), r.Header)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	a.compare(r.Header.Get("webhook-id"), string(body))
	// An app that fails may have seen the events.
	if err := a.Events.Deliver(body); err != nil {
		a.t.Errorf("the body %s: %v", body, err)
	}
	if f := a.answer.Load(); f == nil || (*f)(w, r) {
		w.WriteHeader(http.StatusNoContent)
	}
}

// genuine verifies a request by the conventions of Standard Webhooks.
func (a *HookApp) genuine(r *http.Request, body []byte) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(*a.secret.Load(), "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, s := range strings.Fields(r.Header.Get("webhook-signature")) {
		if hmac.Equal([]byte(s), []byte(want)) {
			return r.Method == http.MethodPost && r.Header.Get("Content-Type") == "application/json"
		}
	}
	return false
}

// compare fails unless a repeated request has the same body.
func (a *HookApp) compare(id, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if first, again := a.bodies[id]; again && first != body {
		a.t.Errorf("the request %s is repeated with another body:\n%s\n%s", id, first, body)
	}
	a.bodies[id] = body
}

// Until waits until a condition about the events holds.
func (a *HookApp) Until(what string, limit time.Duration, holds func() bool) {
	a.t.Helper()
	for until := time.Now().Add(limit); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			a.t.Fatalf("the app was never notified of: %s; it has %d events, the last ones %+v", what, len(a.Events.All()), tail(a.Events.All(), 10))
		}
	}
}

func tail(all []checker.AppEvent, n int) []checker.AppEvent { return all[max(len(all)-n, 0):] }

// Check fails if the events were not right.
func (a *HookApp) Check() {
	a.t.Helper()
	for _, text := range a.Events.Errors() {
		a.t.Error(text)
	}
}
