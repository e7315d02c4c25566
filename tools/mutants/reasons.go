package main

import (
	"fmt"
	"os"
	"strings"
)

// reasons say why a mutant lives, by its key. A reason that was needed is marked.
type reasons map[string]*reason

type reason struct {
	text string
	used bool
}

// key names a mutant without the number of its line, which changes often.
func (m mutant) key() string { return fmt.Sprintf("%s | %s | %s", m.file, m.Type, m.text) }

// readReasons reads a file with a mutant and its reason in each pair of lines: the key, then the indented
// reason. Empty lines and lines with a # are for people.
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
			latest = new(reason)
			all[text] = latest
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
		if why := known[m.key()]; why != nil {
			why.used = true
		} else {
			without = append(without, m)
		}
	}
	r.without = without
}

// unused returns the keys of a package for which no mutant lived.
func (known reasons) unused(p string) (keys []string) {
	for k, why := range known {
		if !why.used && strings.HasPrefix(k, p+"/") {
			keys = append(keys, k)
		}
	}
	return keys
}
