package browser

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// offline takes the network away from the tab, or gives it back, and tells the page,
// as a browser does that has noticed it. Responses that have begun go on.
func (p *Tab) offline(yes bool) {
	p.t.Helper()
	conditions := &network.Conditions{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}
	p.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{conditions},
		}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, network.OverrideNetworkState, network.OverrideNetworkStateParams{
			Offline: yes, DownloadThroughput: -1, UploadThroughput: -1,
		})
		return err
	}))
}

// Whatever interrupts a connection, the client comes back and gets what it missed,
// over either transport.
func TestClientOutage(t *testing.T) {
	for _, c := range []struct {
		name, options string
		cut, mend     func(*Tab, *line)
		code          string
	}{
		{
			name: "reset",
			cut:  func(_ *Tab, l *line) { l.cut() },
			mend: func(_ *Tab, l *line) { l.mend() },
		},
		{
			name:    "silent",
			options: "timeout: 6000",
			cut:     func(_ *Tab, l *line) { l.silence() },
			mend:    func(_ *Tab, l *line) { l.mend() },
		},
		{
			name:    "offline",
			options: "maxDelay: 3600000", // it is the browser who ends the wait
			cut:     func(tab *Tab, l *line) { l.silence(); tab.offline(true) },
			mend:    func(tab *Tab, l *line) { l.mend(); tab.offline(false) },
			code:    "OFFLINE",
		},
	} {
		for _, transport := range []string{"websocket", "sse"} {
			t.Run(c.name+" "+transport, func(t *testing.T) {
				s := integration.Start(t, caddyfile(t, chat))
				app := publisher{t, "http://" + s.Addr("site") + "/rt"}
				line := newLine(t, s.Addr("site"))
				tab := Start(t).visitor("ann", "http://"+line.addr, fmt.Sprintf(`{ transport: '%s', %s }`, transport, c.options))
				tab.Run(`chat = join(client, 'chat:x')`)
				Await[any](tab, "subscribed")
				app.publish("chat:x", `{"content": 1}`)
				Await[message](tab, "message")

				c.cut(tab, line)
				if why := Await[state](tab, "reconnecting"); c.code != "" && why.Code != c.code {
					t.Errorf("the reason is %s", why.Code)
				}
				for n := 2; n <= 4; n++ {
					app.publish("chat:x", fmt.Sprintf(`{"content": %d}`, n))
				}
				tab.Run(`chat.publish(5)`)
				c.mend(tab, line)

				Await[any](tab, "subscribed")
				for n := 2; n <= 5; n++ {
					if m := Expect[message](tab, "message"); m.Content != raw(fmt.Sprint(n)) || m.Offset != uint64(n) {
						t.Errorf("message %d is %+v", n, m)
					}
				}
			})
		}
	}
}

// A client outlives its server. When the server comes back without the history, the
// page is told of the gap, finds what was published meanwhile in the new history,
// and gets everything that follows. What it publishes meanwhile itself is sent when
// there is a server again.
func TestClientServerGone(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*integration.Process)
	}{
		{"killed", func(p *integration.Process) { p.Kill() }},
		{"restarted", func(p *integration.Process) {
			p.Terminate()
			p.WaitExit()
		}},
	} {
		for _, transport := range []string{"websocket", "sse"} {
			t.Run(c.name+" "+transport, func(t *testing.T) {
				p := integration.StartProcess(t, caddyfile(t, chat))
				base := "http://" + p.Addr("site")
				app := publisher{t, base + "/rt"}
				// However long the start takes, the client must not wait for much longer.
				tab := Start(t).visitor("ann", base, fmt.Sprintf(`{ transport: '%s', maxDelay: 2000 }`, transport))
				tab.Run(`chat = join(client, 'chat:x')`)
				Await[any](tab, "subscribed")
				app.publish("chat:x", `{"content": "before"}`)
				Await[message](tab, "message")

				c.end(p)
				Await[state](tab, "reconnecting")
				tab.Run(`own = chat.publish('from the page')`)
				p.Start()
				app.publish("chat:x", `{"content": "from the app"}`)
				at := Await[struct{ Position message }](tab, "gap").Position.Offset
				page := Eval[[]string](tab, `own.then(() => chat.history()).then(({ messages }) => messages.map(({ content }) => content))`)
				if len(page) != 2 || page[0] == page[1] {
					t.Errorf("the history is %q", page)
				}
				app.publish("chat:x", `{"content": "after"}`)
				for at++; ; at++ {
					m := Expect[message](tab, "message")
					if m.Offset != at {
						t.Fatalf("got %+v where offset %d follows", m, at)
					}
					if m.Content == `"after"` {
						break
					}
				}
			})
		}
	}
}
