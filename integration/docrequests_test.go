package integration

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	shells = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	// words splits a command as a shell does, but for what stands for something else.
	words = regexp.MustCompile(`"(?:\\.|[^"])*"|'[^']*'|[^\s"']+`)
)

// documentedRequest is a curl command of the documentation.
type documentedRequest struct {
	method, path string
	json         []string // bodies
}

// readRequest reads a curl command. It returns false if the command is not for this server.
func readRequest(command string) (r documentedRequest, ours bool) {
	r.method = "GET"
	fields := words.FindAllString(command, -1)
	for i, f := range fields {
		next := ""
		if i+1 < len(fields) {
			next = strings.Trim(fields[i+1], `'"`)
		}
		text := strings.Trim(f, `'"`)
		switch {
		case f == "-X" || f == "--request":
			r.method = next
		case f == "--json" || f == "-d" || strings.HasPrefix(f, "--data"):
			if r.method == "GET" {
				r.method = "POST"
			}
			if f == "--json" {
				r.json = append(r.json, next)
			}
		case r.path == "" && strings.Contains(text, "/") && !strings.HasPrefix(text, "-"):
			if u, err := url.Parse(strings.TrimPrefix(text, "http://")); err == nil {
				for _, base := range []string{"/realtime", "/rt"} {
					if _, rest, ok := strings.Cut(u.Path, base); ok && (rest == "" || rest[0] == '/') {
						r.path, ours = rest, true
						break
					}
				}
			}
		}
	}
	return r, ours
}

// Each curl command in the documentation names a request that the server has, by its own
// description, with a body that is JSON.
func TestDocumentedRequests(t *testing.T) {
	t.Parallel()
	description, err := os.ReadFile("../api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var api struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(description, &api); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, pattern := range []string{"../*.md", "../client/*.md", "../docs/*.md", "../examples/*/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, block := range shells.FindAllStringSubmatch(string(text), -1) {
				for _, line := range strings.Split(strings.ReplaceAll(block[1], "\\\n", " "), "\n") {
					r, ours := readRequest(line)
					if !strings.Contains(line, "curl") || !ours {
						continue
					}
					found++
					if !r.known(api.Paths) {
						t.Errorf("%s: the server has no %s %s:\n%s", file, r.method, r.path, line)
					}
					for _, body := range r.json {
						if !json.Valid([]byte(body)) && !strings.Contains(body, "…") && !strings.HasPrefix(body, "@") && !strings.Contains(body, "$") {
							t.Errorf("%s: this body is not JSON: %s", file, body)
						}
					}
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d requests", found)
	}
}

// known reports whether the description has the request.
func (r documentedRequest) known(paths map[string]map[string]any) bool {
	if r.path == "" || r.path == "/sse" || strings.HasSuffix(r.path, ".js") || strings.HasPrefix(r.path, "/console") {
		return r.method == "GET" // where clients connect, and files
	}
	for path, methods := range paths {
		expression := regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`)
		if ok, _ := regexp.MatchString("^"+expression+"$", r.path); ok && methods[strings.ToLower(r.method)] != nil {
			return true
		}
	}
	return false
}
