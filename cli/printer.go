package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// printer writes what a command has to say.
type printer struct {
	io.Writer           // the answer
	notes     io.Writer // what people should know beside it
	json      bool
}

// raw prints JSON as it is, in one line.
func (p *printer) raw(text json.RawMessage) error {
	_, err := fmt.Fprintf(p, "%s\n", strings.TrimSpace(string(text)))
	return err
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// note prints to people, and not into what a program reads.
func (p *printer) note(format string, args ...any) { fmt.Fprintf(p.notes, format+"\n", args...) }

// table prints rows below a head.
func (p *printer) table(head string, rows [][]string) {
	w := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(head, " ", "\t"))
	for _, r := range rows {
		for i, cell := range r {
			if cell == "" {
				r[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	_ = w.Flush() // a terminal that is gone needs no table
}

// plain makes a text of a client harmless for a terminal: control characters and what
// changes the direction of writing are escaped.
func plain(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			q := strconv.Quote(s)
			return q[1 : len(q)-1]
		}
	}
	return s
}

// moment is a time in milliseconds since 1970.
type moment int64

func (m moment) time() time.Time { return time.UnixMilli(int64(m)) }

// ago says how long something has lasted, such as 3h12m.
func (m moment) ago() string {
	if m == 0 {
		return ""
	}
	d := max(time.Since(m.time()), 0)
	switch {
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	default:
		return strconv.Itoa(int(d.Hours())/24) + "d"
	}
}

// size writes a number of bytes as 12KiB.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + "B"
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + "KiB"
	default:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + "MiB"
	}
}

// reach is what answers over all nodes say about the nodes.
type reach struct {
	Nodes   int  `json:"nodes"`
	Missing int  `json:"missing"`
	Partial bool `json:"partial"`
}

// warn says that an answer is not complete.
func (r reach) warn(p *printer) {
	switch {
	case r.Missing > 0:
		p.note("partial: %d nodes answered, %d did not", r.Nodes, r.Missing)
	case r.Partial:
		p.note("partial: the other nodes or Redis can not be reached from this node")
	}
}
