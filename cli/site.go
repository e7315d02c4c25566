package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxAnswer bounds an answer that is read as a whole, in bytes.
const maxAnswer = 64 << 20

// site is an HTTP API: that of a route, or that of the admin endpoint.
type site struct {
	client *http.Client
	base   string // URL, without a slash at the end
	keyed  bool   // it takes an API key
	key    string // API key; may be empty
	origin string // header that Caddy's admin endpoint wants; may be empty
	name   string // for errors
}

// unreachable is the error of a server that does not answer.
type unreachable struct {
	name string
	err  error
}

func (u *unreachable) Error() string {
	var hint string
	if strings.HasPrefix(u.name, "Caddy's admin") {
		hint = "\nIs Caddy running here, and does its configuration leave the admin endpoint on? Name another one with --address, or a site with --url."
	}
	return fmt.Sprintf("%s can not be reached: %v%s", u.name, u.err, hint)
}

func (u *unreachable) Unwrap() error { return u.err }

// rejected is a problem document (RFC 9457) or another answer that is an error.
type rejected struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	hint   string // what the user may do; may be empty
}

func (r *rejected) Error() string {
	text := fmt.Sprintf("the server answered %d %s", r.Status, http.StatusText(r.Status))
	if r.Code != "" {
		text += " (" + plain(r.Code) + ")"
	}
	if r.Detail != "" {
		text += ": " + plain(r.Detail)
	}
	return text + r.hint
}

// path makes a path of segments, each of which is escaped.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// query makes a query of pairs, and leaves out empty values.
func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Add(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// open sends a request and returns the answer, which is no error. The caller closes its body.
func (s *site) open(ctx context.Context, method, uri string, body any) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base+uri, reader)
	if err != nil {
		return nil, err
	}
	s.headers(r, body != nil)
	answer, err := s.client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, &unreachable{name: s.name, err: err}
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		r := problem(answer)
		if r.Status == http.StatusUnauthorized && s.keyed && s.key == "" {
			r.hint = "\nNo API key was sent. Set " + keyVariable + ", or name a file that has the key with --key-file."
		}
		return nil, r
	}
	return answer, nil
}

func (s *site) headers(r *http.Request, body bool) {
	if body {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.key != "" {
		r.Header.Set("Authorization", "Bearer "+s.key)
	}
	if s.origin != "" {
		r.Header.Set("Origin", s.origin)
	}
}

func problem(answer *http.Response) *rejected {
	r := new(rejected)
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10)) // what came is enough for an error
	if json.Unmarshal(text, r) != nil {
		// Caddy's admin endpoint answers {"error": …}, and other servers anything.
		r.Detail = strings.TrimSpace(string(text[:min(len(text), 200)]))
	}
	var admin struct{ Error string }
	if json.Unmarshal(text, &admin) == nil && admin.Error != "" {
		r.Detail = admin.Error
	}
	r.Status = answer.StatusCode
	return r
}

// call sends a request and returns the JSON of the answer.
func (s *site) call(ctx context.Context, method, uri string, body any) (json.RawMessage, error) {
	answer, err := s.open(ctx, method, uri, body)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, &unreachable{name: s.name, err: err}
	}
	if !json.Valid(text) { // an empty answer is none either: other sites give it for any path
		return nil, fmt.Errorf("%s does not answer with JSON: is it the address of a `realtime` endpoint?", s.name)
	}
	return text, nil
}

// get is call with GET, decoded.
func get[T any](ctx context.Context, s *site, uri string) (v T, raw json.RawMessage, err error) {
	return send[T](ctx, s, http.MethodGet, uri, nil)
}

// send is call, decoded.
func send[T any](ctx context.Context, s *site, method, uri string, body any) (v T, raw json.RawMessage, err error) {
	raw, err = s.call(ctx, method, uri, body)
	if err != nil {
		return v, raw, err
	}
	if err = json.Unmarshal(raw, &v); err != nil {
		err = fmt.Errorf("the answer of %s is not understood: %w", s.name, err)
	}
	return v, raw, err
}
