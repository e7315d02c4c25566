package workload

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/target"
)

// through publishes messages that the app is asked about. A publisher has one message in
// flight, because the messages of a connection are asked about one after the other.
//
// The variant [Without] publishes the same messages without the app. The variant [Proxy]
// sends the requests that the app gets for them through reverse_proxy.
func through(size int) func(context.Context, *Session) (Figures, error) {
	return func(ctx context.Context, s *Session) (Figures, error) {
		s.Publishers = min(s.Publishers, asked)
		a, err := startApp(s.App, nil)
		if err != nil {
			return nil, err
		}
		defer a.close()
		if s.Variant == Proxy {
			return s.proxied(ctx, size)
		}
		g, err := s.openAlone(ctx)
		if err != nil {
			return nil, err
		}
		return s.messages(ctx, g, s.alone(g, 1, size))
	}
}

// asked is how many messages of one address handle_message asks the app about at a time.
const asked = 16

// proxied sends requests like those of handle_message to the app, by reverse_proxy.
func (s *Session) proxied(ctx context.Context, size int) (Figures, error) {
	requests := &http.Client{Timeout: drained, Transport: &http.Transport{MaxConnsPerHost: s.Publishers, MaxIdleConnsPerHost: s.Publishers}}
	defer requests.CloseIdleConnections()
	l := &loop{flight: client.NewFlight(s.Publishers), senders: s.Publishers, each: 1, copies: 1, size: size}
	l.send = func(ctx context.Context, sender int, stamp client.Stamp, text []byte) error {
		err := post(ctx, requests, "http://"+s.Addr+"/app/message", question(sender, text))
		l.flight.Arrive(stamp)
		return err
	}
	m, err := s.measure(ctx, s.Time)
	if err != nil {
		return nil, err
	}
	sent, err := l.run(ctx, s.Time)
	if err != nil {
		return nil, err
	}
	f, err := m.messages(int64(sent))
	f[Lost] = 0 // each had an answer
	return f, err
}

// question is the body of a request of handle_message.
func question(sender int, text []byte) []byte {
	return fmt.Appendf(nil, `{"channel":"bench:%d","content":%q,"connection":"k3v9q2xak3v9q2xak3v9q2","id":"k3v9q2xa-%d"}`, sender, text, sender)
}

func post(ctx context.Context, c *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err = io.Copy(io.Discard, res.Body); err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, res.Status)
	}
	return err
}

// asking is a site that asks the app about messages.
func asking(variant string) target.Site {
	site := plainRooms(false)(variant)
	site.Routes = "\treverse_proxy /app/* {app}\n"
	if variant != Without {
		site.Lines = "\t\thandle_message bench:* {\n\t\t\treverse_proxy {app}\n\t\t}\n"
	}
	return site
}
