package browser

import (
	"path/filepath"
	"strings"
	"testing"
)

// global are the options that all servers of these tests have.
const global = `
{
	metrics
}
`

// around is what a site has around the realtime directive, and below it: every
// writer that there is in Caddy, and the pages.
const around = `
	log
	encode zstd gzip
	header X-Early yes
	header >X-Late yes
	root {{pages}}
	file_server
`

// served is what Caddy logs when it has the certificate of a site, at some time
// after the start.
const served = "added certificate to cache"

// caddyfile fills in the folder with the pages.
func caddyfile(t testing.TB, text string) string {
	t.Helper()
	pages, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(text, "{{pages}}", pages)
}

// message is the payload of a message.
type message struct {
	Channel, Sender string
	Content         raw
	Offset          uint64
	Epoch, Anchor   string
}

// raw is JSON as it is written.
type raw string

func (r *raw) UnmarshalJSON(b []byte) error {
	*r = raw(b)
	return nil
}
