package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// caddyfiles are the Caddyfiles of a document.
var caddyfiles = regexp.MustCompile("(?ms)^```caddyfile\n(.*?)^```$")

// synopsis finds what stands for something else, as in `realtime [<path>]`.
var synopsis = regexp.MustCompile(`<[a-z]+>`)

// surroundings are where a part of a Caddyfile may stand, from the outside to the inside.
var surroundings = []string{
	"%",
	"example.com {\n%}\n",
	"example.com {\nrealtime {\nroom any:*\n%}\n}\n",
	"example.com {\nrealtime {\nroom any:* {\n%}\n}\n}\n",
}

// Each Caddyfile in the documentation is valid, on its own or where a part of one belongs.
func TestDocumentedCaddyfiles(t *testing.T) {
	t.Parallel()
	documents := []string{"../README.md", "../client/README.md"}
	for _, pattern := range []string{"../docs/*.md", "../examples/*/*.md", "../bench/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, more...)
	}
	found := 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range caddyfiles.FindAllSubmatch(text, -1) {
			if synopsis.Match(block[1]) {
				continue
			}
			found++
			if formatted := caddyfile.Format(block[1]); !bytes.Equal(bytes.TrimSpace(formatted), bytes.TrimSpace(block[1])) {
				t.Errorf("%s has a Caddyfile of which Caddy says that it is not formatted; it would be:\n%s", document, formatted)
			}
			if errs := invalid(string(block[1])); errs != nil {
				t.Errorf("%s has a Caddyfile that is not valid anywhere:\n%s%s", document, block[1], strings.Join(errs, "\n"))
			}
		}
	}
	if found < 15 {
		t.Errorf("found only %d Caddyfiles", found)
	}
	files, err := filepath.Glob("../examples/*/*addyfile")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(text, map[string]any{"filename": file})
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v, %v", file, err, warnings)
		}
	}
}

// invalid returns why a Caddyfile is valid in none of the surroundings.
func invalid(text string) (errs []string) {
	for _, around := range surroundings {
		_, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(strings.Replace(around, "%", text, 1)), map[string]any{"filename": "Caddyfile"})
		if err == nil {
			return nil
		}
		errs = append(errs, err.Error())
	}
	return errs
}
