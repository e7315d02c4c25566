package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

const barWidth = 30

// bar shows progress in one line of a terminal. In a file or a pipe it shows only the end.
type bar struct {
	word     string
	terminal bool

	mu    sync.Mutex // guards what follows, and the writing
	w     io.Writer
	last  string
	shown bool
}

func newBar(w io.Writer, word string) *bar {
	b := &bar{w: w, word: word}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

// set shows that n of total are done.
func (b *bar) set(n, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := barWidth
	if total > 0 {
		full = min(n, total) * barWidth / total
	}
	line := fmt.Sprintf("[%s%s] %d of %d %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), n, total, b.word)
	if b.terminal && line != b.last {
		fmt.Fprint(b.w, "\r"+line)
		b.shown = true
	}
	b.last = line
}

// end leaves the last state.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.shown:
		fmt.Fprintln(b.w)
	case b.last != "":
		fmt.Fprintln(b.w, b.last)
	}
	b.shown, b.last = false, ""
}
