package integration

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/freeport"
	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// TestPusherPHP has an app in PHP sign subscriptions and use the HTTP API, in the way of the PHP SDK,
// from the command line and behind PHP-FPM.
func TestPusherPHP(t *testing.T) {
	php, err := exec.LookPath("php")
	if err != nil {
		t.Skip("php is not installed; tools/needs names it")
	}
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	t.Setenv("PUSHER_PHP", filepath.Join(root(), "examples", "laravel-echo", "pusher.php"))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pusher.php"), []byte(script(t, "pusher.php")), 0o644); err != nil {
		t.Fatal(err)
	}
	site := func(app string) string {
		return strings.Replace(pusherSite, `respond /app/other "of the site"`, "root * "+dir+"\n\tphp_fastcgi "+app, 1)
	}
	c := Start(t, site("localhost:1"))
	t.Setenv("SITE_URL", "http://"+c.Addr("site")) // PHP needs its environment first
	c.Reload(site(phpApp(t, dir, script(t, "auth.php"))))
	right := func(got string) {
		t.Helper()
		if got != "as it must be" {
			t.Errorf("PHP says: %s", got)
		}
	}
	playNode(t, script(t, "php_node.mjs"), []string{"SITE=" + c.Addr("site")}, map[string]func(){
		"cli": func() {
			out, _ := exec.Command(php, "-n", filepath.Join(dir, "pusher.php")).CombinedOutput()
			right(string(out))
		},
		"fpm": func() {
			_, text := request(t, "GET", "http://"+c.Addr("site")+"/run", "")
			right(text)
		},
	})
}

// TestPusherLaravel drives Laravel's PusherBroadcaster, of Debian's package php-laravel-framework. Debian
// has no SDK of Pusher for PHP, so that the class of the example stands in for it.
func TestPusherLaravel(t *testing.T) {
	if _, err := os.Stat("/usr/share/php/Illuminate/Broadcasting/Broadcasters/PusherBroadcaster.php"); err != nil {
		t.Skip("the package php-laravel-framework is not installed")
	}
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	t.Setenv("PUSHER_PHP", filepath.Join(root(), "examples", "laravel-echo", "pusher.php"))
	app := filepath.Join(t.TempDir(), "laravel.php")
	if err := os.WriteFile(app, []byte(script(t, "laravel.php")), 0o644); err != nil {
		t.Fatal(err)
	}
	at := phpServer(t, app)
	c := Start(t, strings.Replace(pusherSite, `respond /app/other "of the site"`, "reverse_proxy "+at, 1))
	playNode(t, script(t, "laravel_node.mjs"), []string{"SITE=" + c.Addr("site")}, map[string]func(){
		"broadcast": func() {
			cmd := exec.Command("php", app)
			cmd.Env = append(os.Environ(), "SITE_URL=http://"+c.Addr("site"))
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "as it must be" {
				t.Errorf("Laravel says: %v, %s", err, out)
			}
		},
	})
}

// phpServer starts the server of PHP's command line with one script, and returns its address.
func phpServer(t *testing.T, script string) string {
	t.Helper()
	at := freeport.Addr(t)
	cmd := exec.Command("php", "-S", at, script)
	over, err := spawn.Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-over })
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", at); err == nil {
			conn.Close()
			return at
		}
		if time.Now().After(late) {
			t.Fatal("PHP does not listen")
		}
	}
}
