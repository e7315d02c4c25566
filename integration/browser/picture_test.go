package browser

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// TestPictures takes the pictures of the documentation, for `make pictures`, which names the
// folder for them.
func TestPictures(t *testing.T) {
	folder := os.Getenv("REALTIME_PICTURES")
	if folder == "" {
		t.Skip("REALTIME_PICTURES names no folder: make pictures")
	}
	s := integration.Start(t, caddyfile(t, watched))
	base := "http://" + s.Addr("site")
	for i := range 40 {
		member(t, base, fmt.Sprintf("user-%d", i))
	}
	p := Start(t).Open("operator", base+"/rt/console/")
	p.narrow(1200)
	p.login("app-key")
	p.shows("body", "Bytes in queues")
	const steps = 150
	for i := range steps { // traffic that grows and shrinks, for the plots
		for range 1 + i%40 {
			publish(t, base, "chat:1", fmt.Sprintf(`{"content":{"n":%d}}`, i))
		}
		time.Sleep(50 * time.Millisecond)
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "console.png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// publish publishes with the API key.
func publish(t *testing.T, base, channel, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/rt/channels/"+channel+"/messages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer app-key")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
}
