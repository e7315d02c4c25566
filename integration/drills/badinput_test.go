package drills

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// badSite logs nothing of what it refuses, so that the log does not count as memory
// that is kept.
const badSite = `
{
	log {
		exclude http realtime
	}
	servers {
		timeouts {
			read_header 2s
		}
	}
}
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		limits {
			message_size 4KiB
			rate 500/s 20
		}
		room open:* {
			subscribe anyone
			publish anyone
			history 10
		}
		room users:* {
			subscribe users
		}
	}
}
`

const badWarmUp = 10 // rounds that fill pools and caches first

var (
	badRounds = sized(100, 200)
	// badGrowth is how much more memory may be in use after all rounds. If each of
	// their connections left 16 KiB behind, it would be ten times as much.
	badGrowth = sized[int64](1<<20, 2<<20)
)

// TestBadInput does everything that clients must not do, again and again. Each
// time the answer is the same, and in the end nothing of it is left.
func TestBadInput(t *testing.T) {
	t.Setenv("REALTIME_TEST_KEY", appKey)
	c := integration.Start(t, badSite)
	a := newAbuse(t, "http://"+c.Addr("site")+"/rt")
	for range badWarmUp {
		a.round()
	}
	a.rest()
	memory, goroutines := heap(), runtime.NumGoroutine()
	for range badRounds {
		a.round()
	}
	a.rest()
	until(t, "the goroutines are as many as before", func() bool { return runtime.NumGoroutine() <= goroutines+5 })
	growth := heap() - memory
	t.Logf("after %d rounds of %d offences: %d goroutines before, %d after; %+d KiB of memory\n%v",
		badRounds, len(a.offences), goroutines, runtime.NumGoroutine(), growth>>10, a)
	if growth > badGrowth {
		t.Errorf("%d KiB more are in use than before", growth>>10)
	}
	a.judge()
}

// offence is a row of the table: something that clients must not do, and what comes
// of it.
type offence struct {
	name, want string
	commit     func(*abuse) string
}

// abuse counts what came of each offence.
type abuse struct {
	t        *testing.T
	base     string
	web      *byHTTP
	offences []offence
	happened []map[string]int

	// talker is one connection for all offences of a round that it survives.
	talker *wsClient
}

func newAbuse(t *testing.T, base string) *abuse {
	a := &abuse{t: t, base: base, web: newHTTP(base, "", false)}
	a.offences = slices.Concat(survivedOffences(), fatalOffences(), requestOffences())
	for range a.offences {
		a.happened = append(a.happened, make(map[string]int))
	}
	t.Cleanup(a.web.close)
	return a
}

func (a *abuse) round() {
	var err error
	if a.talker, err = openWS(dialer(), a.base, nil); err != nil {
		a.t.Fatal(err)
	}
	defer a.talker.close()
	for i, o := range a.offences {
		a.happened[i][o.commit(a)]++
	}
}

// rest waits until the connections of the rounds are gone.
func (a *abuse) rest() {
	a.web.close()
	app := newHTTP(a.base, appKey, false)
	defer app.close()
	until(a.t, "the offenders are gone", func() bool { return app.connections("open:") == 0 })
}

// judge wants everything to have come out as expected each time.
func (a *abuse) judge() {
	for i, o := range a.offences {
		if a.happened[i][o.want] != badRounds+badWarmUp {
			a.t.Errorf("%s: %v, and not always %s", o.name, a.happened[i], o.want)
		}
	}
}

// String is the table.
func (a *abuse) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprintln(w, "offence\t expected\t happened")
	for i, o := range a.offences {
		for _, what := range slices.Sorted(maps.Keys(a.happened[i])) {
			fmt.Fprintf(w, "%s\t %s\t %s (%d times)\n", o.name, o.want, what, a.happened[i][what])
		}
	}
	_ = w.Flush() // into memory
	return text.String()
}
