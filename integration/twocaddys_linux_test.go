package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/internal/redistest"
)

// Two Caddys can share a port, and the second one starts without an error. doctor notices it, whether the other one has
// the endpoint or not. With Redis the two are nodes of one site.
func TestDoctorNoticesTwoCaddys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		site, other string // what is in the directive of both, and the site of the other one
		code        int
		want        string
	}{
		"memory":      {"", "", 2, "reached another server"},
		"no endpoint": {"", "file_server", 2, "reached another server"},
		"redis":       {"redis " + redistest.Start(t).Addr, "", 0, "reached 2 nodes, which share rooms"},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := "realtime /rt {\n\t\troom chat:* {\n\t\t\tsubscribe anyone\n\t\t}\n\t\t" + c.site + "\n\t}"
			text := "{\n\tadmin {{admin}}\n}\nhttp://{{site}} {\n\t" + endpoint + "\n}\n"
			s := StartProcess(t, text)
			p := &program{t: t, path: Program(t), env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "CADDY_ADMIN=" + s.Addr("admin")}}
			doctor := []string{"doctor", "--site", "http://" + s.Addr("site") + "/rt"}
			p.want(0, []string{"16 connections reached one Caddy"}, doctor...)
			other := strings.ReplaceAll(text, "{{site}}", s.Addr("site"))
			if c.other != "" {
				other = strings.ReplaceAll(other, endpoint, c.other)
			}
			StartProcess(t, other)
			p.want(c.code, []string{"16 connections", c.want}, doctor...)
		})
	}
}
