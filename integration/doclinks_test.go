package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	mdLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// unslugged is what GitHub leaves out of the anchor of a heading.
	unslugged = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// page is a Markdown file without its code.
type page struct {
	text    string
	anchors map[string]bool
}

func readPage(t *testing.T, file string) page {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := page{text: fence.ReplaceAllString(string(text), ""), anchors: make(map[string]bool)}
	for _, h := range heading.FindAllStringSubmatch(p.text, -1) {
		p.anchors[strings.ReplaceAll(unslugged.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return p
}

// Every link in the documentation leads to a file of the repository, and to a heading of it.
func TestDocumentedLinks(t *testing.T) {
	t.Parallel()
	pages, links := make(map[string]page), 0
	for _, pattern := range []string{"../*.md", "../llms.txt", "../client/*.md", "../docs/*.md", "../examples/*/*.md", "../bench/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			pages[file] = readPage(t, file)
		}
	}
	for file, p := range pages {
		for _, m := range mdLink.FindAllStringSubmatch(p.text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			links++
			to := file
			if target != "" {
				to = filepath.Join(filepath.Dir(file), target)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: there is no such file", file, m[1])
			} else if anchor != "" && !pages[to].anchors[anchor] {
				t.Errorf("%s links to %s: there is no such heading", file, m[1])
			}
		}
	}
	if links < 100 {
		t.Errorf("found only %d links", links)
	}
}

// The two indexes, for people and for programs, have every page of the folder docs.
func TestIndexesHaveEveryPage(t *testing.T) {
	t.Parallel()
	for _, index := range []struct{ file, prefix string }{{"docs/README.md", ""}, {"llms.txt", "docs/"}} {
		text := read(t, index.file)
		for page := range pages(t) {
			name, ok := strings.CutPrefix(page, "docs/")
			if ok && name != "README.md" && !strings.Contains(text, "]("+index.prefix+name) {
				t.Errorf("%s has no link to %s", index.file, page)
			}
		}
	}
}
