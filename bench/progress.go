package main

import (
	"fmt"
	"os"
	"time"
)

// progress shows how far the bench is, in one line on the terminal.
type progress struct {
	began      time.Time
	done, runs int
}

func (p *progress) say(format string, args ...any) {
	left := ""
	if p.done > 0 {
		left = fmt.Sprintf(", about %v left", (time.Since(p.began) / time.Duration(p.done) * time.Duration(p.runs-p.done)).Round(time.Second))
	}
	p.done++
	fmt.Fprintf(os.Stderr, "\r\033[K%d of %d: %s%s", p.done, p.runs, fmt.Sprintf(format, args...), left)
}

func (p *progress) end() {
	fmt.Fprintf(os.Stderr, "\r\033[K%d runs in %v\n", p.done, time.Since(p.began).Round(time.Second))
}
