package sse_test

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"time"
)

// event is what a client's listener gets.
type event struct {
	name, data, id string
}

// source reads an event stream in the way the WHATWG text tells a browser to
// (HTML, section 9.2.6). It is written from that text and shares nothing with the
// encoder, so that it notices what the encoder gets wrong.
type source struct {
	in *bufio.Reader

	lastID string // what would be sent as Last-Event-ID
	retry  time.Duration
	pings  int

	skipLF            bool // the last line ended with CR
	name, data, newID string
}

func newSource(r io.Reader) *source {
	s := &source{in: bufio.NewReader(r)}
	if bom, _ := s.in.Peek(3); string(bom) == "\ufeff" {
		_, _ = s.in.Discard(3)
	}
	return s
}

// next gives the next event that is dispatched.
func (s *source) next() (event, error) {
	for {
		line, err := s.line()
		if err != nil {
			return event{}, err // what is incomplete is thrown away
		}
		if line != "" {
			s.field(line)
			continue
		}
		if ev, ok := s.dispatch(); ok {
			return ev, nil
		}
	}
}

// all reads to the end.
func (s *source) all() (events []event) {
	for {
		ev, err := s.next()
		if err != nil {
			return events
		}
		events = append(events, ev)
	}
}

// line reads up to CR, LF or both.
func (s *source) line() (string, error) {
	var b strings.Builder
	for {
		if _, err := s.in.Peek(1); err != nil {
			return "", err
		}
		chunk, _ := s.in.Peek(s.in.Buffered())
		if s.skipLF && chunk[0] == '\n' {
			_, _ = s.in.Discard(1)
			s.skipLF = false
			continue
		}
		s.skipLF = false
		end := bytes.IndexAny(chunk, "\r\n")
		if end < 0 {
			b.Write(chunk)
			_, _ = s.in.Discard(len(chunk))
			continue
		}
		b.Write(chunk[:end])
		s.skipLF = chunk[end] == '\r'
		_, _ = s.in.Discard(end + 1)
		return b.String(), nil
	}
}

func (s *source) field(line string) {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "":
		s.pings++
	case "event":
		s.name = value
	case "data":
		s.data += value + "\n"
	case "id":
		if !strings.Contains(value, "\x00") {
			s.newID = value
		}
	case "retry":
		s.setRetry(value)
	}
}

func (s *source) setRetry(value string) {
	var ms time.Duration
	for _, c := range value {
		if c < '0' || c > '9' {
			return
		}
		ms = ms*10 + time.Duration(c-'0')
	}
	s.retry = ms * time.Millisecond
}

func (s *source) dispatch() (event, bool) {
	s.lastID = s.newID
	name, data := s.name, s.data
	s.name, s.data = "", ""
	if data == "" {
		return event{}, false
	}
	if name == "" {
		name = "message"
	}
	return event{name, strings.TrimSuffix(data, "\n"), s.lastID}, true
}
