package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// curlSite has the rooms and the addresses that the pages speak of: localhost:8080, localhost:8090,
// https://example.com, and the admin endpoint at localhost:2019.
const curlSite = `
{
	admin {{admin}}
	realtime {
		room inbox:{user} {
			history 50 24h
		}
		room chat:lobby { # examples/chat
			subscribe anyone
			publish anyone
			history 100 1h
		}
		room chat:* {
			subscribe anyone
			history 100 1h
			presence {
				grace off
				remember 1h
			}
		}
		room news:* {
			subscribe anyone
			history 50 1h
		}
		room books:* {
			subscribe anyone
			history 50 1h
		}
		room orders:* {
			subscribe anyone
			history 50 1h
		}
		room doc:* {
			subscribe anyone
			publish anyone
			document
		}
		room form:* {
			subscribe anyone
			publish anyone
			document
		}
		room todo:* {
			subscribe anyone
			publish anyone
			document
		}
		room io:/ { # examples/socketio
			subscribe anyone
			publish anyone
		}
	}
}
http://{{site}} {
	realtime {
		SETTINGS
	}
	realtime /rt {
		SETTINGS
	}
}
`

const curlSettings = `
		user {header.X-User}
		api_key {env.REALTIME_TEST_KEY}
		token {
			hmac {env.REALTIME_TEST_SECRET}
		}
		turn {
			uri stun:turn.example.com turn:turn.example.com
			secret 0123456789abcdef0123456789abcdef
		}
		handle_call {
			reverse_proxy APP
		}`

// foreign are requests for the servers of others, which do not run here.
var foreign = map[string]string{
	"/.well-known/mercure": "Mercure answers this request: docs/coming-from.md shows it beside its replacement",
	"/api/publish":         "Centrifugo answers this request: docs/coming-from.md shows it beside its replacement",
}

// inlineCurl finds a command in a sentence.
var inlineCurl = regexp.MustCompile("`(curl [^`]+)`")

// curled is a command of a page.
type curled struct {
	page, command string
	answer        string // the JSON that the page shows as the answer, if it shows one
}

// curls returns the commands of a page, in their order.
func curls(page, text string) (all []curled) {
	blocks := readBlocks(page, text)
	for i, b := range blocks {
		if b.language != "sh" {
			continue
		}
		before := len(all)
		for _, line := range strings.Split(strings.ReplaceAll(b.text, "\\\n", " "), "\n") {
			if strings.HasPrefix(line, "curl ") {
				all = append(all, curled{page: page, command: line})
			}
		}
		if len(all) > before && i+1 < len(blocks) && blocks[i+1].language == "json" && blocks[i+1].before == "" {
			all[len(all)-1].answer = blocks[i+1].text
		}
	}
	for _, m := range inlineCurl.FindAllStringSubmatch(text, -1) {
		all = append(all, curled{page: page, command: m[1]})
	}
	return all
}

// Each curl command of the pages succeeds at a server, and the answer has the shape that the page shows. So
// have the requests that docs/http-api.md describes in a sentence, with an answer behind it.
func TestDocumentedCurl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	s := startCurlSite(t)
	all, found, others := pages(t), 0, make(map[string]bool)
	for _, page := range slices.Sorted(maps.Keys(all)) {
		first := ""
		for _, c := range curls(page, all[page]) {
			if other := foreignPath(c.command); other != "" {
				others[other] = true
				continue
			}
			found++
			// The page leaves the address and the key out where it has shown them.
			if first == "" {
				first = regexp.MustCompile(`curl \S+ +-H "[^"]*"|curl \S+`).FindString(c.command)
			}
			c.command = strings.Replace(c.command, "curl …", first, 1)
			s.settle()
			if err := s.run(c); err != nil {
				t.Errorf("%s: %v\n%s", page, err, c.command)
			}
		}
		if page == "docs/http-api.md" {
			s.describedRequests(page)
		}
	}
	if found < 25 {
		t.Errorf("found only %d commands", found)
	}
	if len(others) != len(foreign) {
		t.Errorf("of the requests for others only these were found: %v", others)
	}
}

// describedRequests sends the requests that a page has in the sentence before an answer.
func (s *curlServer) describedRequests(page string) {
	found := 0
	for _, b := range readBlocks(page, read(s.t, page)) {
		m := regexp.MustCompile("`(GET|POST|DELETE) (/[^`]+)`").FindStringSubmatch(b.before)
		if b.language != "json" || m == nil {
			continue
		}
		found++
		s.settle()
		path := regexp.MustCompile(`/messages/41\?epoch=k3v9x0ab`).ReplaceAllLiteralString(m[2],
			fmt.Sprintf("/messages/%d?epoch=%s", s.latest.Offset, s.latest.Epoch))
		var as []string
		if path == "/turn" {
			as = []string{"ann"}
		}
		status, _, answer := s.request(m[1], path, "", as...)
		if status != http.StatusOK {
			s.t.Errorf("%s: %s %s: the answer is %d: %s", page, m[1], path, status, answer)
		} else if err := compareAnswer(b.text, bytes.NewReader(answer), nil); err != nil {
			s.t.Errorf("%s: %s %s: %v", page, m[1], path, err)
		}
	}
	if found < 6 {
		s.t.Errorf("found only %d requests in sentences", found)
	}
}

func foreignPath(command string) string {
	for path := range foreign {
		if strings.Contains(command, path) {
			return path
		}
	}
	return ""
}

// curlServer is the server behind the commands.
type curlServer struct {
	t       *testing.T
	caddy   *Process
	site    string // its address without the path
	token   string
	ann     <-chan struct{} // closed when the connection of ann is over
	drained bool
	latest  struct { // the position of the newest message
		Epoch  string
		Offset int
	}
}

func startCurlSite(t *testing.T) *curlServer {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "3")
	}))
	t.Cleanup(app.Close)
	settings := strings.Replace(curlSettings, "APP", app.Listener.Addr().String(), 1)
	c := StartProcess(t, strings.ReplaceAll(curlSite, "SETTINGS", settings),
		"REALTIME_TEST_KEY="+appKey, "REALTIME_TEST_SECRET="+tokenSecret)
	over := make(chan struct{})
	close(over)
	return &curlServer{t: t, caddy: c, token: (&issuer{t: t}).hmac(claims("ann")), site: "http://" + c.Addr("site"), ann: over}
}

// request sends a request as the app, or as a user.
func (s *curlServer) request(method, path, body string, as ...string) (status int, header http.Header, answer []byte) {
	s.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = s.site + "/realtime" + path
	}
	r, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if len(as) > 0 {
		r.Header.Set("X-User", as[0])
	} else {
		r.Header.Set("Authorization", "Bearer "+appKey)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, err = io.ReadAll(res.Body); err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Header, answer
}

// settle makes what the next command needs: ann is in chat:42, bob was there, and there are a message and a
// document.
func (s *curlServer) settle() {
	s.t.Helper()
	if s.drained {
		return // until the page has shown the state of the drain
	}
	select {
	case <-s.ann:
		s.ann = s.connect("ann", false)
		<-s.connect("bob", true)
	default:
	}
	_, _, answer := s.request("POST", "/channels/chat:42/messages", `{"content": "hi"}`)
	if err := json.Unmarshal(answer, &s.latest); err != nil {
		s.t.Fatal(err)
	}
	s.request("PUT", "/channels/doc:7/document", `{"title": "old"}`)
}

// connect lets a user into chat:42. The channel is closed when the connection is over.
func (s *curlServer) connect(user string, leave bool) <-chan struct{} {
	s.t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.site, "http")+"/realtime", http.Header{"X-User": {user}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { ws.Close() })
	n := &notified{s.t, ws}
	n.subscribe("chat:42")
	if leave {
		ws.Close()
	}
	_ = ws.SetReadDeadline(time.Time{})
	over := make(chan struct{})
	go func() { // reads so that the connection answers pings
		defer close(over)
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
		}
	}()
	return over
}

// shownSecret is the secret of an event stream on the pages.
const shownSecret = "k3v9x0ab.fk3r3inb6eqwbvlfp4clrjhr6m.mzwizltoq4dknbr7uvx2pscqe3"

// secretOfStream opens an event stream of ann, and returns its secret.
func (s *curlServer) secretOfStream() string {
	stream := openStream(s.t, s.site+"/realtime", "ann", "chat:42")
	line := stream.until(`"type":"connected"`)
	stream.until(`"type":"presence"`)
	m := regexp.MustCompile(`"secret":"([^"]+)"`).FindStringSubmatch(line)
	if m == nil {
		s.t.Fatalf("no secret in %s", line)
	}
	return m[1]
}

// here replaces what stands for the reader's own: addresses, keys, positions, and the secret of a stream.
func (s *curlServer) here(text string) string {
	if strings.Contains(text, shownSecret) {
		text = strings.ReplaceAll(text, shownSecret, s.secretOfStream())
	}
	_, header, _ := s.request("GET", "/channels/doc:7/document", "")
	tag := strings.Trim(header.Get("ETag"), `"`)
	epoch, version, _ := strings.Cut(tag, "-")
	return strings.NewReplacer(
		"https://example.com", s.site, "localhost:8080", strings.TrimPrefix(s.site, "http://"),
		"localhost:8090", strings.TrimPrefix(s.site, "http://"), "localhost:2019", s.caddy.Addr("admin"),
		"k3v9x0ab-17", tag, `"epoch": "k3v9x0ab", "baseVersion": 17`, fmt.Sprintf(`"epoch": %q, "baseVersion": %s`, epoch, version),
	).Replace(text)
}

// run runs a command and compares its answer with that of the page.
func (s *curlServer) run(c curled) error {
	cmd := exec.Command("bash", "-ec", `curl() { exec curl -sS --include --raw --max-time 20 "$@"; }; `+s.here(c.command))
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "REALTIME_API_KEY="+appKey, "KEY="+appKey, "TOKEN="+s.token)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(out), nil)
	defer func() {
		_ = cmd.Process.Kill() // a stream does not end by itself
		_ = cmd.Wait()
		if err == nil {
			res.Body.Close()
		}
	}()
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusAccepted {
		body, _ := io.ReadAll(res.Body)
		return fmt.Errorf("the answer is %s: %s", res.Status, body)
	}
	if strings.Contains(c.command, "/realtime/drain") {
		// The page drains a node, and then reads the state of the drain.
		if s.drained = !s.drained; !s.drained {
			defer s.request("DELETE", "http://"+s.caddy.Addr("admin")+"/realtime/drain", "")
		}
	}
	return compareAnswer(c.answer, res.Body, func(n int) {
		if n == 2 { // the stream is there, and shows the next message
			s.request("POST", "/channels/chat:42/messages", `{"content": "hi"}`)
		}
	})
}

// compareAnswer compares the JSON values of a page with an answer, and reports how many it has compared.
func compareAnswer(page string, answer io.Reader, compared func(n int)) error {
	want, got := json.NewDecoder(strings.NewReader(page)), json.NewDecoder(answer)
	for n := 1; ; n++ {
		var w, g any
		if err := want.Decode(&w); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("the answer of the page is no JSON: %w", err)
		}
		if err := got.Decode(&g); err != nil {
			return fmt.Errorf("the answer is no JSON: %w", err)
		}
		if differ := differences("", w, g); len(differ) > 0 {
			return fmt.Errorf("the answer is %v, but the page shows %v: %s", g, w, strings.Join(differ, ", "))
		}
		if compared != nil {
			compared(n)
		}
	}
}
