package target

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/caddy-realtime/caddy-realtime/bench/client"
	"github.com/caddy-realtime/caddy-realtime/bench/proc"
)

const (
	nginxProgram = "/usr/sbin/nginx"
	nchanModule  = "/usr/lib/nginx/modules/ngx_nchan_module.so"
)

// Nchan is Debian's nginx with one worker and the nchan module.
var Nchan = &Target{Name: "nchan", Missing: nchanMissing, Start: startNchan}

func nchanMissing() string {
	for _, file := range []string{nginxProgram, nchanModule} {
		if _, err := os.Stat(file); err != nil {
			return "install Debian's packages nginx-light and libnginx-mod-nchan"
		}
	}
	return ""
}

func startNchan(ctx context.Context, o Options) (*Server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	text, err := nginxConf(addr, o)
	if err != nil {
		return nil, err
	}
	file, err := put(o.Dir, "nginx.conf", text)
	if err != nil {
		return nil, err
	}
	child, err := proc.Start(ctx, addr, exec.Command(nginxProgram, "-p", o.Dir, "-c", file))
	if err != nil {
		return nil, err
	}
	return running(child, addr, o, client.Plain), nil
}

func nginxConf(addr string, o Options) (string, error) {
	listen, secure, user, ping := addr, "", "", ""
	if o.TLS {
		cert, key, err := certificate(o.Dir)
		if err != nil {
			return "", err
		}
		listen, secure = addr+" ssl", fmt.Sprintf("\t\tssl_certificate %s;\n\t\tssl_certificate_key %s;\n", cert, key)
	}
	if os.Getuid() == 0 {
		user = "user root;\n" // else its worker could not read the folder
	}
	if o.Ping > 0 {
		seconds := max(int(o.Ping/time.Second), 1)
		ping = fmt.Sprintf("\t\tnchan_websocket_ping_interval %d;\n\t\tnchan_eventsource_ping_interval %d;\n", seconds, seconds)
	}
	return "load_module " + nchanModule + ";\n" + user + `daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events { worker_connections 19000; }
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	keepalive_requests 1000000000;
	nchan_shared_memory_size 256m;
	nchan_message_buffer_length 100;
	nchan_message_timeout 1h;
	server {
		listen ` + listen + ";\n" + secure + ping + `		nchan_subscriber_first_message newest;
		location ~ ^/ws/(.+)$ { nchan_pubsub websocket; nchan_channel_id $1; }
		location ~ ^/sse/(.+)$ { nchan_subscriber eventsource; nchan_channel_id $1; }
		location ~ ^/pub/(.+)$ { nchan_publisher http; nchan_channel_id $1; }
	}
}
`, nil
}
