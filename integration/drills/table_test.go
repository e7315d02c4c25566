package drills

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// drillTime is for how long the links of a cluster break in its long drill. 0 means that
// all drills are short. Long ones assert times, which need an idle machine, and write a
// table of what came out: see `make drills` and `make cluster-drills`.
var drillTime, _ = time.ParseDuration(os.Getenv("REALTIME_DRILLS"))

var longDrills = drillTime > 0

func sized[T any](short, long T) T {
	if longDrills {
		return long
	}
	return short
}

// within fails a long drill if something took longer than it may.
func within(t *testing.T, what string, took, limit time.Duration) {
	t.Helper()
	t.Logf("%s: %v", what, took.Round(time.Millisecond))
	if longDrills && took > limit {
		t.Errorf("%s: %v, which is more than %v", what, took, limit)
	}
}

// table is the results of the drills. It is written again with each row, so that the rows
// before a crash are there.
var table struct {
	sync.Mutex
	rows []string
}

// row is a line of the table: a drill, what was done, what came out, and what had to come out.
type row struct{ done, bar, figure string }

// newRow starts a row, which the end of the test adds to the table. So a drill that fails
// before it has a figure has a row as well.
func newRow(t *testing.T, bar, done string, args ...any) *row {
	r := &row{done: fmt.Sprintf(done, args...), bar: bar, figure: "no figure"}
	t.Cleanup(func() { r.add(t) })
	return r
}

// came sets what came out.
func (r *row) came(format string, args ...any) { r.figure = fmt.Sprintf(format, args...) }

// result adds a row to a drill that has come to its end.
func result(t *testing.T, done, bar, format string, args ...any) {
	newRow(t, bar, "%s", done).came(format, args...)
}

func (r *row) add(t *testing.T) {
	verdict := "yes"
	switch {
	case t.Skipped():
		verdict = "not run"
	case t.Failed():
		verdict = "NO"
	}
	table.Lock()
	defer table.Unlock()
	text := fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s |", t.Name(), r.done, r.figure, r.bar, verdict, loadAverage())
	table.rows = append(table.rows, text)
	if longDrills {
		fmt.Println("== " + text)
		writeTable()
	}
}

// writeTable writes the table to the file that is to have it. The caller holds the lock.
func writeTable() {
	file := os.Getenv("REALTIME_DRILLS_TABLE")
	if file == "" {
		return
	}
	_ = os.MkdirAll(filepath.Dir(file), 0o755)
	if err := os.WriteFile(file, []byte(tableText()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "the table of the drills is not written:", err)
	}
}

func printTable() {
	table.Lock()
	defer table.Unlock()
	if longDrills && len(table.rows) > 0 {
		fmt.Print("\n" + tableText())
	}
}

func tableText() string {
	return fmt.Sprintf("%s, %d processors, %s, at most %d open files\n\n| drill | what was done | figure | bar | pass | load |\n|---|---|---|---|---|---|\n%s\n",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), runtime.Version(), openFiles(), strings.Join(table.rows, "\n"))
}

// loadAverage is the load average of the last minute: what else the machine had to do.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(text), " ")
	return load
}

// crowdOf is how many clients a drill has: as many as it wants, or as many as this process
// may have sockets if that is less. perClient is how many of them each client takes here.
func crowdOf(t *testing.T, want, perClient int) int {
	t.Helper()
	most := max(10, (openFiles()-500)/perClient)
	if want > most {
		t.Logf("`ulimit -n` is %d: %d clients instead of %d", openFiles(), most, want)
	}
	return min(want, most)
}
