package browser

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
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

// scene is a picture of an example: who does what before it is taken.
type scene struct {
	example string
	prepare func(t *testing.T, site string, me, other *Tab)
}

var scenes = []scene{
	{"chat", func(t *testing.T, _ string, me, other *Tab) {
		for tab, name := range map[*Tab]string{me: "Ann", other: "Bob"} {
			tab.shows("#status", "connected by")
			tab.Run(`own = document.querySelector('#name'); own.value = '%s'; own.dispatchEvent(new Event('change'))`, name)
		}
		other.says("The kettle is on. Who wants tea?")
		me.says("Me, please! With milk.")
		other.says("Two minutes.")
		me.shows("#messages", "Two minutes.")
		other.Run(`document.querySelector('#text').value = 'And'; document.querySelector('#text').dispatchEvent(new Event('input'))`)
		me.shows("#typing", "Bob is typing")
	}},
	{"todo", func(t *testing.T, _ string, me, other *Tab) {
		for column, cards := range [][]string{{"Book the room", "Invite the choir"}, {"Write the programme"}, {"Tune the piano"}} {
			for _, card := range cards {
				me.Run(`form = document.querySelectorAll('form')[%d]; form.elements.text.value = '%s'; form.requestSubmit()`, column, card)
			}
		}
		me.shows("#status", "saved")
		other.shows("#people", "A") // otherwise the board tells nobody where the pointer is
		other.Run(`document.querySelector('main').dispatchEvent(new PointerEvent('pointermove', { pointerType: 'mouse', clientX: innerWidth * .56, clientY: 240, bubbles: true }))`)
		me.shows("#cursors", "Bob")
	}},
	{"form", func(t *testing.T, _ string, me, other *Tab) {
		me.shows("#status", "saved")
		other.shows("#status", "saved") // its fields are disabled before
		me.Run(`for (const [name, value] of Object.entries({ title: 'A summer evening', place: 'In the garden', guests: '12', notes: 'Bring chairs.' })) {
			const field = document.querySelector('[name=' + name + ']'); field.value = value; field.dispatchEvent(new Event('input'));
		}`)
		other.Run(`document.querySelector('[name=notes]').focus()`)
		me.Do(chromedp.Poll[chromedp.Void](`document.querySelector('.who')`))
	}},
	{"call", func(t *testing.T, _ string, me, other *Tab) {
		for tab, name := range map[*Tab]string{me: "Ann", other: "Bob"} {
			tab.shows("#count", "2")
			tab.Run(`own = document.querySelector('#name'); own.value = '%s'; own.dispatchEvent(new Event('change'))`, name)
		}
		me.shows("#members", "Ann (you)")
		me.shows("#members", "Bob")
		other.Run(`document.querySelector('#members button').click()`)
		me.shows("article header", "is calling you")
	}},
	{"dashboard", func(t *testing.T, site string, me, _ *Tab) {
		cmd := exec.Command("../../examples/dashboard/start")
		cmd.Env = append(os.Environ(), "SITE_URL="+site)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		me.shows("[sse-swap=CORK] b", ".")
		me.shows("#status", "live")
	}},
}

func (p *Tab) says(text string) {
	p.t.Helper()
	p.Run(`document.querySelector('#text').value = '%s'; document.querySelector('#form').requestSubmit()`, text)
	p.shows("#messages", text)
}

// TestExamplePictures takes a picture of each example, bright on a desktop. With
// REALTIME_PICTURES_ALL there are three more: dark, and both on a phone.
func TestExamplePictures(t *testing.T) {
	folder := os.Getenv("REALTIME_PICTURES")
	if folder == "" {
		t.Skip("REALTIME_PICTURES names no folder: make pictures")
	}
	for _, s := range scenes {
		t.Run(s.example, func(t *testing.T) {
			site := "http://" + integration.Start(t, example(t, s.example)).Addr("site")
			browser := Start(t)
			me, other := browser.Open("me", site+"/?name=Ann"), browser.Open("other", site+"/?name=Bob")
			s.prepare(t, site, me, other)
			me.picture(filepath.Join(folder, s.example+".png"), 900, 560, "light")
			if os.Getenv("REALTIME_PICTURES_ALL") == "" {
				return
			}
			me.picture(filepath.Join(folder, s.example+"-dark.png"), 900, 560, "dark")
			me.picture(filepath.Join(folder, s.example+"-phone.png"), 390, 760, "light")
			me.picture(filepath.Join(folder, s.example+"-phone-dark.png"), 390, 760, "dark")
		})
	}
}

// picture writes a picture of the page on a screen, in a colour scheme.
func (p *Tab) picture(file string, width, height int64, scheme string) {
	p.t.Helper()
	p.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 2, Mobile: true,
		})
		if err == nil {
			_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
		}
		return err
	}))
	p.Run(settled)
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// `make pictures` takes the pictures that a page of the documentation shows, and no others. They are small
// enough for a README.
func TestPicturesAreShown(t *testing.T) {
	taken := []string{"console.png"}
	for _, s := range scenes {
		taken = append(taken, s.example+".png")
	}
	var shown []string
	picture := regexp.MustCompile(`!\[[^\]]+\]\([^)]*?([\w-]+\.png)\)`)
	for _, pages := range []string{"../../*.md", "../../docs/*.md", "../../examples/*/*.md"} {
		files, err := filepath.Glob(pages)
		if err != nil || len(files) == 0 {
			t.Fatal(pages, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range picture.FindAllSubmatch(text, -1) {
				shown = append(shown, string(m[1]))
			}
		}
	}
	slices.Sort(taken)
	slices.Sort(shown)
	if shown = slices.Compact(shown); !slices.Equal(taken, shown) {
		t.Errorf("these are taken: %v\nand these shown: %v", taken, shown)
	}
	files, err := filepath.Glob("../../docs/*.png")
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, file := range files {
		there = append(there, filepath.Base(file))
		if info, err := os.Stat(file); err != nil || info.Size() > 150_000 {
			t.Errorf("%s has more than 150 KB: %v", file, err)
		}
	}
	if !slices.Equal(there, taken) {
		t.Errorf("in docs are %v", there)
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
