package target

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
)

// Caddy is a Caddy with this module, the program bench/caddy.
func Caddy(name, program string) *Target {
	return &Target{Name: name, Missing: none, Start: withStore(func(ctx context.Context, o Options) (*Server, error) {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		admin, err := freeAddr()
		if err != nil {
			return nil, err
		}
		text, err := Caddyfile(addr, o)
		if err != nil {
			return nil, err
		}
		file, err := put(o.Dir, "Caddyfile", fmt.Sprintf("{\n\tadmin %s\n\tpersist_config off\n\tauto_https off\n"+
			"\tstorage file_system %q\n\tlog {\n\t\tlevel ERROR\n\t}\n\tservers {\n\t\tprotocols h1 h2\n\t}\n}\n", admin, o.Dir)+text)
		if err != nil {
			return nil, err
		}
		child, err := proc.Start(ctx, addr, exec.Command(program, "run", "--config", file, "--adapter", "caddyfile"))
		if err != nil {
			return nil, err
		}
		s := running(child, addr, o, client.Native)
		s.App = o.Site.App
		s.Collect = func(ctx context.Context) error {
			return fetch(ctx, http.MethodPost, "http://"+admin+"/bench/free", io.Discard)
		}
		s.Profile = func(ctx context.Context, kind, file string, d time.Duration) error {
			f, err := os.Create(file)
			if err != nil {
				return err
			}
			defer f.Close()
			url := "http://" + admin + "/debug/pprof/" + kind
			if d > 0 {
				url += fmt.Sprintf("?seconds=%d", max(int(d.Seconds()), 1))
			}
			return fetch(ctx, http.MethodGet, url, f)
		}
		return s, nil
	})}
}

// The protocols are those of a default without HTTP/3. With h1 alone Caddy wraps every
// plain connection.

// Caddyfile returns the site that is measured: one kind of room for anonymous clients,
// with presence and history if the workload says nothing else.
func Caddyfile(addr string, o Options) (string, error) {
	site, secure := "http://"+addr, ""
	if o.TLS {
		cert, key, err := certificate(o.Dir)
		if err != nil {
			return "", err
		}
		site, secure = "https://"+addr, fmt.Sprintf("\ttls %q %q\n", cert, key)
	}
	if o.Site.Bare {
		return site + " {\n\tbind 127.0.0.1\n" + secure + "\tbench_park\n}\n", nil
	}
	heartbeat := ""
	if o.Ping > 0 {
		heartbeat = fmt.Sprintf("\t\theartbeat %v %v\n", o.Ping, o.Ping)
	}
	return site + " {\n\tbind 127.0.0.1\n" + secure + o.Site.routes() + "\trealtime {\n\t\tapi_key " + client.Key + "\n" +
		heartbeat + o.Site.lines() + "\t}\n}\n", nil
}

func fetch(ctx context.Context, method, url string, to io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	_, err = io.Copy(to, res.Body)
	return err
}
