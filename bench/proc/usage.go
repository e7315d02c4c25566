// Package proc starts the servers that are measured, and reads what the kernel knows
// about them. It reads Linux's /proc.
package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc/PID/stat: USER_HZ is 100 wherever Go runs on Linux.
const tick = 10 * time.Millisecond

// CPU returns the user and system time of a process and all its descendants. What
// descendants used that have ended already counts only if their parent waited for them.
func CPU(pid int) (total time.Duration, err error) {
	err = tree(pid, func(s stat) error { total += s.cpu; return nil })
	return total, err
}

// PSS returns the proportional set size, in bytes, of a process and all its descendants.
func PSS(pid int) (total int, err error) {
	err = tree(pid, func(s stat) error {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", s.pid))
		if err != nil {
			return err
		}
		n, err := parsePSS(string(text))
		total += n
		return err
	})
	return total, err
}

func parsePSS(rollup string) (int, error) {
	for line := range strings.Lines(rollup) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Pss:" {
			n, err := strconv.Atoi(fields[1])
			return n * 1024, err
		}
	}
	return 0, fmt.Errorf("no Pss in %q", rollup)
}

// stat is what is used of /proc/PID/stat.
type stat struct {
	pid, parent int
	cpu         time.Duration
}

func parseStat(text string) (s stat, err error) {
	// The name stands in parentheses and may contain spaces and parentheses.
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 1 || end < open {
		return s, fmt.Errorf("unexpected %q", text)
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 15 {
		return s, fmt.Errorf("unexpected %q", text)
	}
	// The first field here is the third of the file, the state.
	parent, utime, stime, cutime, cstime := fields[1], fields[11], fields[12], fields[13], fields[14]
	if s.pid, err = strconv.Atoi(strings.TrimSpace(text[:open])); err != nil {
		return s, err
	}
	if s.parent, err = strconv.Atoi(parent); err != nil {
		return s, err
	}
	for _, field := range []string{utime, stime, cutime, cstime} {
		n, err := strconv.Atoi(field)
		if err != nil {
			return s, err
		}
		s.cpu += time.Duration(n) * tick
	}
	return s, nil
}

// tree calls f for a process and all its descendants.
func tree(root int, f func(stat) error) error {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	children, found := make(map[int][]stat), false
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || len(bytes.TrimSpace(text)) == 0 {
			continue // it ended meanwhile
		}
		s, err := parseStat(string(text))
		if err != nil {
			return err
		}
		if s.pid == root {
			found = true
			if err := f(s); err != nil {
				return err
			}
		}
		children[s.parent] = append(children[s.parent], s)
	}
	if !found {
		return fmt.Errorf("process %d has ended", root)
	}
	for next := []int{root}; len(next) > 0; next = next[1:] {
		for _, s := range children[next[0]] {
			if err := f(s); err != nil {
				return err
			}
			next = append(next, s.pid)
		}
	}
	return nil
}
