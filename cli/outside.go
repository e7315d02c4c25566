package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/ws/dial"
)

const (
	// skew is how far the clocks may differ. Tokens with a short life fail beyond it.
	skew = 5 * time.Second
	// prompt is how long the first event of a stream may take on its way.
	prompt = 3 * time.Second
)

// checkClock compares the server's clock with that of this machine.
func checkClock(ctx context.Context, d *doctor) ([]finding, error) {
	began := time.Now()
	s := &site{client: new(http.Client), base: d.url, name: d.url}
	answer, err := s.open(ctx, http.MethodGet, "/client.js", nil)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return []finding{{State: stateNote, What: "the answer has no header Date"}}, nil
	}
	// The header has whole seconds, cut off.
	early, late := date.Sub(time.Now()), began.Sub(date)-time.Second
	if off := max(early, late); off > skew {
		return []finding{{State: stateWrong, What: fmt.Sprintf("the clocks of the site and of this machine differ by %v", off.Round(time.Second)), Mend: "let both follow a time server: tokens are judged by the server's clock"}}, nil
	}
	return []finding{{State: stateOK, What: "the clocks of the site and of this machine agree"}}, nil
}

// pageOrigin is the origin of the pages that use the site.
func (d *doctor) pageOrigin() string {
	if d.origin != "" {
		return d.origin
	}
	u, err := url.Parse(d.url)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// checkWebSocket connects as a page does, and looks up what the server took it for.
func checkWebSocket(ctx context.Context, d *doctor) ([]finding, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	conn, id, err := d.connect(ctx)
	if err != nil {
		return []finding{d.mendHandshake(err)}, nil
	}
	defer conn.Close()
	all := []finding{{State: stateOK, What: "a page of " + d.pageOrigin() + " can connect"}}
	return append(all, d.addressOf(ctx, id)...), nil
}

// mendHandshake says what a handshake that failed hints at.
func (d *doctor) mendHandshake(err error) finding {
	f := finding{State: stateWrong, What: clear(err).Error()}
	var r *dial.Rejected
	if !errors.As(err, &r) {
		f.Mend = "can this machine reach the site, and does a proxy in between let WebSockets through?"
		return f
	}
	switch r.Status {
	case http.StatusForbidden:
		f.Mend = "if the origin is rejected, add to the directive: origins " + d.pageOrigin()
	case http.StatusUnauthorized:
		scheme, _, _ := strings.Cut(r.Header.Get("Www-Authenticate"), " ")
		return d.wantsSignIn(scheme)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		f.Mend = "a limit is reached, or the node drains; see: caddy realtime stats"
	case http.StatusOK, http.StatusNotFound, http.StatusBadRequest, http.StatusUpgradeRequired:
		f.Mend = "is the path right, and does a proxy in between pass the headers Connection and Upgrade on?"
	}
	return f
}

// addressOf looks at the address that the server has of a connection of this machine.
func (d *doctor) addressOf(ctx context.Context, id string) []finding {
	hubs, err := d.hubs(ctx)
	if err != nil {
		return nil
	}
	c, known := d.find(ctx, hubs, id)
	if !known {
		return []finding{{State: stateNote, What: "the site does not belong to the Caddy of the admin endpoint, so that it can not be asked which address it sees"}}
	}
	a, err := netip.ParseAddr(c.Address)
	if err == nil && (a.IsLoopback() || a.IsPrivate()) && !d.local() {
		return []finding{{State: stateWrong, What: "the server takes clients for " + c.Address + ", which is a proxy of yours", Mend: "say `servers { trusted_proxies static private_ranges }` in the global options, or all clients share the limits of one address"}}
	}
	return []finding{{State: stateOK, What: "the server sees this machine as " + c.Address}}
}

// local reports whether the site is on this machine or in its network.
func (d *doctor) local() bool {
	u, err := url.Parse(d.url)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && (a.IsLoopback() || a.IsPrivate())
}

// checkStream opens an event stream and waits for its first event, which a proxy or
// compression on the way may hold back.
func checkStream(ctx context.Context, d *doctor) ([]finding, error) {
	ctx, cancel := context.WithTimeout(ctx, prompt)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("Origin", d.pageOrigin())
	began := time.Now()
	answer, err := new(http.Client).Do(r)
	if err != nil {
		return []finding{lateStream(err)}, nil
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		// A stream without channels is an error of its own: the way is free then.
		if kind := answer.Header.Get("Content-Type"); strings.HasPrefix(kind, "application/problem+json") {
			return []finding{{State: stateOK, What: fmt.Sprintf("event streams are answered (%d without a channel)", answer.StatusCode)}}, nil
		}
		return nil, problem(answer)
	}
	if _, err := bufio.NewReader(answer.Body).ReadByte(); err != nil {
		return []finding{lateStream(err)}, nil
	}
	return []finding{{State: stateOK, What: "the first event of a stream took " + short(time.Since(began))}}, nil
}

func lateStream(err error) finding {
	if errors.Is(err, context.DeadlineExceeded) {
		return finding{State: stateWrong, What: fmt.Sprintf("no event of a stream arrived within %v", prompt), Mend: "a proxy in between collects answers: turn its buffering off for this path (nginx: proxy_buffering off)"}
	}
	return finding{State: stateWrong, What: err.Error(), Mend: "can this machine reach the site?"}
}
