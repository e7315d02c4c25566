// The recipe in Go is an app behind Caddy: logins, questions of Caddy, events, and publishing.
package main

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	base, key = os.Getenv("REALTIME_URL"), os.Getenv("REALTIME_API_KEY")
	secret, _ = base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("WEBHOOK_SECRET"), "whsec_"))
	sessions  sync.Map // of users by the value of their cookie
)

func publish(channel string, content any) error {
	body, _ := json.Marshal(map[string]any{"content": content})
	r, err := http.NewRequest("POST", base+"/channels/"+url.PathEscape(channel)+"/messages", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(res.Body)
		return fmt.Errorf("publish: %s: %s", res.Status, said)
	}
	return nil
}

func genuine(h http.Header, body []byte) bool {
	stamp, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(body)))
	want, found := "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), false
	for _, given := range strings.Fields(h.Get("webhook-signature")) {
		found = found || hmac.Equal([]byte(want), []byte(given))
	}
	return found && err == nil && math.Abs(float64(time.Now().Unix()-stamp)) < 300
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	if status >= 400 {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

// ask answers a request of Caddy that has a body of type T.
func ask[T any](answer func(http.ResponseWriter, T)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var question T
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, question)
	}
}

type message struct {
	User    string
	Content struct{ Text string }
}

type call struct {
	User, Method string
	Params       []float64
}

type events struct {
	Data struct {
		Events []struct{ Channel, Sender string }
	}
}

func main() {
	for _, name := range []string{"REALTIME_URL", "REALTIME_API_KEY", "WEBHOOK_SECRET"} {
		if os.Getenv(name) == "" {
			log.Fatalf("%s is not set", name)
		}
	}
	http.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) { // check a password here
		session := rand.Text()
		sessions.Store(session, r.FormValue("user"))
		http.SetCookie(w, &http.Cookie{Name: "session", Value: session, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		w.WriteHeader(http.StatusNoContent)
	})
	http.HandleFunc("GET /rt/authorize", func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("session"); err == nil {
			if user, ok := sessions.Load(cookie.Value); ok {
				answer(w, 200, map[string]any{"user": user})
				return
			}
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	http.HandleFunc("POST /rt/message", ask(func(w http.ResponseWriter, m message) { // store it here
		answer(w, 200, map[string]any{"content": map[string]string{"text": strings.ToUpper(m.Content.Text), "by": m.User}})
	}))
	http.HandleFunc("POST /rt/call", ask(func(w http.ResponseWriter, c call) {
		if c.Method != "sum" {
			answer(w, 404, map[string]string{"code": "NO_SUCH_METHOD"})
			return
		}
		sum := 0.0
		for _, n := range c.Params {
			sum += n
		}
		answer(w, 200, map[string]any{"user": c.User, "sum": sum})
	}))
	http.HandleFunc("POST /rt/notify", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !genuine(r.Header, body) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var e events
		err = json.Unmarshal(body, &e)
		for _, event := range e.Data.Events {
			if err == nil {
				err = publish("log", cmp.Or(event.Sender, "the app")+" wrote in "+event.Channel)
			}
		}
		if err != nil { // Caddy sends the events again.
			log.Print(err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	port := os.Getenv("APP_PORT")
	if port == "" {
		port = "3000"
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
