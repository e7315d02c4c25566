package attacks

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// attackBodies send too much, too deep, or something else than they say.
func attackBodies(w *world) []attack {
	send := func(r request) func(*testing.T) string {
		return func(t *testing.T) string { return w.site.send(t, r).String() }
	}
	bomb := zipped(16 << 20)
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	return []attack{
		{"gzip bomb of 16 MiB, announced", "415 (not unpacked)", func(t *testing.T) string {
			before := w.admin.allocated(t)
			a := w.site.send(t, post("open:1", bomb, jsonType, "Content-Encoding: gzip"))
			return fmt.Sprintf("%v (%s)", a, packed(w.admin.allocated(t)-before))
		}},
		{"gzip bomb, not announced", "400 INVALID_JSON (not unpacked)", func(t *testing.T) string {
			before := w.admin.allocated(t)
			a := w.site.send(t, post("open:1", bomb, jsonType))
			return fmt.Sprintf("%v (%s)", a, packed(w.admin.allocated(t)-before))
		}},
		{"gzip as raw content", "400 INVALID_MESSAGE", send(post("open:1", bomb[:1000], "Content-Type: application/gzip"))},
		{"body with Content-Encoding: br, deflate", "415", send(post("open:1", "x", jsonType, "Content-Encoding: br, deflate"))},
		{"body in UTF-16", "415", send(post("open:1", "\xff\xfe{\x00", "Content-Type: application/json; charset=utf-16"))},
		{"body of 10 MiB", "413 TOO_LARGE", send(post("open:1", `{"content":"`+strings.Repeat("x", 10<<20)+`"}`, jsonType))},
		{"content of 64 KiB and a byte", "413 TOO_LARGE", send(post("open:1", `{"content":"`+strings.Repeat("x", 64<<10-1)+`"}`, jsonType))},
		{"batch of 2 MiB", "413 TOO_LARGE", send(request{"POST", "/rt/publish", []string{jsonType}, "[" + strings.Repeat(" ", 2<<20) + "]"})},
		{"batch of 101 items", "413 TOO_LARGE", send(request{"POST", "/rt/publish", []string{jsonType}, "[" + strings.Repeat("1,", 100) + "1]"})},
		{"nested 60 deep", "200", send(post("open:1", `{"content":`+deep(60)+`}`, jsonType))},
		{"nested 65 deep", "400 INVALID_MESSAGE", send(post("open:1", `{"content":`+deep(65)+`}`, jsonType))},
		{"nested 20,000 deep", "400 INVALID_JSON", send(post("open:1", `{"content":`+deep(20_000)+`}`, jsonType))},
		{"nested 30,000 deep, never closed", "400 INVALID_JSON", send(post("open:1", strings.Repeat(`{"content":`, 10_000), jsonType))},
		{"one name 10,000 times", "400 INVALID_MESSAGE", send(post("open:1", `{"content":1`+strings.Repeat(`,"a":1`, 10_000)+`}`, jsonType))},
		{"10,000 names", "400 INVALID_MESSAGE", send(post("open:1", manyKeys(10_000, `{"content":1`), jsonType))},
		{"10,000 names in the content", "413 TOO_LARGE", send(post("open:1", `{"content":`+manyKeys(10_000, `{"x":1`)+`}`, jsonType))},
		{"4,000 names in the content", "200", send(post("open:1", `{"content":`+manyKeys(4_000, `{"x":1`)+`}`, jsonType))},
		{"a number of 60,000 digits", "200", send(post("open:1", `{"content":`+strings.Repeat("9", 60_000)+`}`, jsonType))},
		{"content twice", "400 INVALID_MESSAGE", send(post("open:1", `{"content":1,"content":2}`, jsonType))},
		{"header of 2 MiB", "431", send(request{"GET", "/rt", []string{"X: " + strings.Repeat("x", 2<<20)}, ""})},
		{"20,000 headers", "431", send(request{"GET", "/rt", strings.Split(strings.Repeat("Xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: 1\n", 20_000), "\n")[:20_000], ""})},
		{"body shorter than it says", "400 INVALID_MESSAGE", func(t *testing.T) string { return halfBody(t, w.site) }},
	}
}

// manyKeys goes on with an object.
func manyKeys(n int, object string) string {
	var b strings.Builder
	b.WriteString(object)
	for i := range n {
		fmt.Fprintf(&b, `,"key%d":1`, i)
	}
	return b.String() + "}"
}

// zipped are n zeros.
func zipped(n int) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(make([]byte, n)) // into memory
	_ = z.Close()
	return b.String()
}

func packed(n uint64) string {
	if n < 8<<20 {
		return "not unpacked"
	}
	return fmt.Sprintf("%d MiB were allocated", n>>20)
}

// halfBody sends a part of a body and no more.
func halfBody(t *testing.T, s target) string {
	conn := s.dial(t)
	text := post("open:1", `{"content":"`+strings.Repeat("x", 100)+`"}`, jsonType).text(string(s))
	if _, err := io.WriteString(conn, text[:len(text)-50]); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err.Error()
	}
	body, _ := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, body: string(body)}.String()
}
