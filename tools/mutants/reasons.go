package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// reasons say why a mutant lives, by its key.
type reasons map[string]*reason

type reason struct {
	text    string
	mutants int // how many it is for: in equal lines, or in one line
	used    int // how many of them lived
}

// key names a mutant without the number of its line, which changes often.
func (m mutant) key() string { return fmt.Sprintf("%s | %s | %s", m.file, m.Type, m.text) }

// readReasons reads a file with a mutant and its reason in each pair of lines: the key, then the indented
// reason. A number and × before the key say that it is for so many mutants. Empty lines and lines with a # are for people.
func readReasons(path string) (reasons, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all := make(reasons)
	var latest *reason
	for i, line := range strings.Split(string(data), "\n") {
		switch text := strings.TrimSpace(line); {
		case text == "", strings.HasPrefix(text, "#"):
		case !strings.HasPrefix(line, " "):
			if latest != nil && latest.text == "" {
				return nil, fmt.Errorf("%s:%d: the mutant before has no reason", path, i+1)
			}
			key, mutants := text, 1
			if n, rest, ok := strings.Cut(text, " × "); ok {
				if m, err := strconv.Atoi(n); err == nil {
					key, mutants = rest, m
				}
			}
			if all[key] != nil {
				return nil, fmt.Errorf("%s:%d: the second reason of this mutant; write 2 × before the first if there are two", path, i+1)
			}
			latest = &reason{mutants: mutants}
			all[key] = latest
		case latest == nil:
			return nil, fmt.Errorf("%s:%d: a reason without a mutant", path, i+1)
		default:
			latest.text += text
		}
	}
	if latest != nil && latest.text == "" {
		return nil, fmt.Errorf("%s: the last mutant has no reason", path)
	}
	return all, nil
}

// judge leaves the mutants that live without a reason.
func (r *row) judge(known reasons) {
	var without []mutant
	for _, m := range r.without {
		if why := known[m.key()]; why != nil && why.used < why.mutants {
			why.used++
		} else {
			without = append(without, m)
		}
	}
	r.without = without
}

// unused returns the keys of a package for which fewer mutants lived than it has reasons for.
func (known reasons) unused(p string) (keys []string) {
	for k, why := range known {
		if why.used < why.mutants && strings.HasPrefix(k, p+"/") {
			keys = append(keys, k)
		}
	}
	return keys
}
