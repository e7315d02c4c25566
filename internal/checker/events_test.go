package checker

import (
	"strings"
	"testing"
)

func TestEventsFindsFaults(t *testing.T) {
	for name, test := range map[string]struct{ events, want string }{
		"right":      {`{"id":"1","type":"connected","connection":"c","seq":1},{"id":"1","type":"connected","connection":"c","seq":1},{"id":"2","type":"disconnected","connection":"c","seq":2}`, ""},
		"lost":       {`{"id":"1","type":"lost","count":5,"seq":1}`, ""},
		"an id":      {`{"id":"1","type":"occupied","channel":"c","seq":1},{"id":"1","type":"vacated","channel":"c","seq":1}`, "two events"},
		"order":      {`{"id":"2","type":"occupied","channel":"c","seq":2},{"id":"1","type":"vacated","channel":"c","seq":1}`, "after"},
		"twice":      {`{"id":"1","type":"entered","channel":"c","user":"u","seq":1},{"id":"2","type":"entered","channel":"c","user":"u","seq":2}`, "twice"},
		"never came": {`{"id":"1","type":"vacated","channel":"c","seq":1}`, "twice"},
	} {
		var c Events
		if err := c.Deliver([]byte(`{"data":{"events":[` + test.events + `]}}`)); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(c.Errors(), "; ")
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
