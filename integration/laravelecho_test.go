package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const laravelEchoSite = `
http://{{site}} {
	realtime /rt {
		api_key key-of-the-app-0123456789
		room private-* {
			subscribe granted
			publish granted
		}
		room presence-* {
			subscribe granted
			publish granted
			presence
		}
		room news {
			subscribe anyone
		}
		socketio {
			laravel_echo {
				timeout 300ms
				reverse_proxy {{app}}
			}
		}
	}
}
`

// echoApp answers /broadcasting/auth as Laravel does.
func echoApp(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, named := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if r.Method != "POST" || r.URL.Path != "/broadcasting/auth" || !named || len(r.PostFormValue("socket_id")) != 16 ||
			r.Header.Get("X-Csrf-Token") != "csrf" || r.Header.Get("X-Requested-With") != "XMLHttpRequest" || strings.Contains(r.Header.Get("X-Forwarded-For"), "6.6.6.6") {
			t.Errorf("asked %s %s %v %v", r.Method, r.URL, r.Header, r.PostForm)
		}
		w.Header().Set("Content-Type", "text/html; charset=UTF-8") // Laravel says so
		switch r.PostFormValue("channel_name") {
		case "private-forbidden":
			w.WriteHeader(403)
		case "private-expired":
			w.WriteHeader(419)
		case "private-broken":
			fmt.Fprint(w, "<html>")
		case "private-slow":
			<-r.Context().Done()
		case "presence-room":
			fmt.Fprintf(w, `{"channel_data":{"user_id":"%s","user_info":{"name":"Ann %[1]s"}}}`, user)
		default:
			fmt.Fprint(w, "true")
		}
	}
}

// TestSocketIOLaravelEcho drives Laravel Echo by its broadcaster socket.io.
func TestSocketIOLaravelEcho(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(echoApp(t))
	defer app.Close()
	c := Start(t, strings.ReplaceAll(laravelEchoSite, "{{app}}", app.Listener.Addr().String()))
	env := []string{"SITE=" + c.Addr("site"), "CLIENT=socket.io-client", "TRANSPORTS=websocket"}
	playNode(t, script(t, "socketio_helpers.mjs", "echo_socketio_node.mjs"), env, nil)
	c.WaitLog("the answer of the app can not be used")
	c.WaitLog("the app did not answer")
}
