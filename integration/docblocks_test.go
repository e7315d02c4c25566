package integration

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced block of a page.
type block struct {
	page     string // its path from the root of the repository
	line     int    // where its text starts
	language string // empty if the fence names none
	text     string
	before   string // the paragraph before it, empty if another block comes before it
}

// fenceLine matches the lines around a block. A block in a list is indented.
var fenceLine = regexp.MustCompile("^( *)```(\\S*)$")

// readBlocks returns the blocks of a page.
func readBlocks(page, text string) (blocks []block) {
	var b *block
	var indent, prose string
	for i, line := range strings.Split(text, "\n") {
		m := fenceLine.FindStringSubmatch(line)
		switch {
		case b == nil && m != nil:
			paragraphs := strings.Split(strings.TrimSpace(prose), "\n\n")
			b = &block{page: page, line: i + 2, language: m[2], before: paragraphs[len(paragraphs)-1]}
			indent, prose = m[1], ""
		case b == nil:
			prose += line + "\n"
		case m != nil && m[2] == "":
			blocks, b = append(blocks, *b), nil
		default:
			b.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return blocks
}

// pages returns the text of each page of the repository by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, pattern := range []string{"*.md", "client/*.md", "docs/*.md", "examples/*/*.md", "bench/*.md"} {
		files, err := filepath.Glob(filepath.Join(root(), pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			path, err := filepath.Rel(root(), file)
			if err != nil {
				t.Fatal(err)
			}
			path = filepath.ToSlash(path)
			all[path] = read(t, path)
		}
	}
	return all
}
