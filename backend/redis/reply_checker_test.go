package redis

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// These are replies that Redis sends, and replies that it never sends. What comes after sub
// belongs to a connection that has subscribed. What comes after addr is the reply of a Sentinel
// that was asked for the primary.
var (
	goodReplies = []string{
		"+OK\r\n:1\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n-ERR no\r\n",
		"*2\r\n*2\r\n$1\r\na\r\n:-5\r\n*0\r\n+OK\r\n",
		"$4\r\n\r\n\r\n\r\n",
		"$" + fmt.Sprint(100<<10) + "\r\n" + strings.Repeat("x", 100<<10) + "\r\n+OK\r\n",
		"sub*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$0\r\n\r\n",
		"sub*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n",
		"sub-MOVED 1 127.0.0.1:1\r\n*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$1\r\nb\r\n",
		"sub*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$22\r\nm 127.0.0.1 1 ::1 1000\r\n",
		"addr*2\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n*0\r\n",
		"addr*-1\r\n",
		"%2\r\n$1\r\na\r\n*1\r\n_\r\n+b\r\n%0\r\n#t\r\n,1.5\r\n~1\r\n:1\r\n",
		"sub>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n+PONG\r\n",
	}
	badReplies = []string{
		"\r\n", "x\r\n", "+OK\n", ":1x\r\n", ":\r\n", "$-2\r\n", "*-2\r\n", "%-1\r\n", ">-2\r\n", "%1\r\n*1\r\n", "%1\r\n+a\r\n:1\r\n\r\n", "%1\r\n_\r\n", "#x\r\n", ",x\r\n", "(1\r\n",
		"$1\r\nab\r\n", "$1\r\na\r\r", "$999999999999\r\n", "*99999999\r\n", "$99999999999999999999\r\n",
		strings.Repeat("*1\r\n", 20), "+" + strings.Repeat("x", 70<<10),
		"sub*0\r\n", "sub*-1\r\n", "sub:1\r\n", "sub$1\r\na\r\n", "sub*1\r\n$4\r\npong\r\n",
		"sub*3\r\n:1\r\n", "sub*3\r\n$-1\r\n", "sub*3\r\n*1\r\n", "sub*3\r\n$4\r\nelse\r\n",
		"sub*2\r\n$7\r\nmessage\r\n", "sub*3\r\n$7\r\nmessage\r\n:1\r\n", "sub*3\r\n$7\r\nmessage\r\n$1\r\na\r\n*0\r\n",
		"sub*3\r\n$7\r\nmessage\r\n$-1\r\n", "sub*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n$1\r\n1\r\n", "sub*2\r\n$4\r\npong\r\n:1\r\n",
		"sub*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$3\r\na b\r\n",
		"addr*0\r\n", "addr*1\r\n$1\r\na\r\n",
	}
)

// checkInParts returns the result for a stream that arrives in parts of a size.
func checkInParts(stream string, size int) error {
	r := new(replyChecker)
	if rest, ok := strings.CutPrefix(stream, "sub"); ok {
		r.noteCommand([]byte("*2\r\n$9\r\nsubscribe\r\n$1\r\na\r\n"))
		stream = rest
	}
	if rest, ok := strings.CutPrefix(stream, "addr"); ok {
		r.noteCommand([]byte("*3\r\n$8\r\nsentinel\r\n$23\r\nget-master-addr-by-name\r\n$1\r\nm\r\n"))
		stream = rest
	}
	for p := []byte(stream); len(p) > 0; {
		n := min(size, len(p))
		if err := r.checkBytes(bytes.Clone(p[:n])); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func TestReplies(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 1 << 20} {
		for _, s := range goodReplies {
			if err := checkInParts(s, size); err != nil {
				t.Errorf("%.60q, %d bytes at a time: %v", s, size, err)
			}
		}
		for _, s := range badReplies {
			if checkInParts(s, size) == nil {
				t.Errorf("%.60q, %d bytes at a time, is taken for a reply", s, size)
			}
		}
	}
}

// The result for a stream does not depend on the parts in which it arrives.
func FuzzReplies(f *testing.F) {
	for _, s := range append(goodReplies, badReplies...) {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, stream string, size int) {
		if whole, parts := checkInParts(stream, 1<<20), checkInParts(stream, max(1, size%64)); (whole == nil) != (parts == nil) {
			t.Errorf("%v, in parts %v", whole, parts)
		}
	})
}
