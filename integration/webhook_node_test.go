package integration

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/spawn"
)

// webhookApp verifies requests with the package standardwebhooks. It writes its port, and then a line
// for each request.
const webhookApp = `
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const verifies = (body, headers) => {
  try {
    return webhook.verify(body, headers);
  } catch {
    return null;
  }
};
const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString();
  const got = verifies(body, request.headers);
  const forged = verifies(body + " ", request.headers) ?? verifies(body, { ...request.headers, "webhook-id": "msg_other" });
  response.writeHead(got ? 204 : 401).end();
  console.log(!got ? "invalid" : forged ? "forged" : "valid " + got.data.events.map((event) => event.type).join(" "));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`

// The package standardwebhooks, which is not ours, accepts the signature of a real request and rejects
// a request that was changed.
func TestWebhookOfStandardPackage(t *testing.T) {
	client := filepath.Join(root(), "client")
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no program 'node'")
	}
	if _, err := os.Stat(filepath.Join(client, "node_modules", "standardwebhooks")); err != nil {
		t.Skip("the packages of the client are not installed: run 'make client'")
	}
	node := exec.Command("node", "--input-type=module", "-e", webhookApp)
	node.Dir, node.Env, node.Stderr = client, append(os.Environ(), "WEBHOOK_SECRET="+HookSecret), os.Stderr
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	over, err := spawn.Start(node, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Process.Kill(); <-over })
	timer := time.AfterFunc(30*time.Second, func() { _ = node.Process.Kill() })
	defer timer.Stop()

	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the app does not start")
	}
	t.Setenv("REALTIME_TEST_APP", "127.0.0.1:"+lines.Text())
	t.Setenv("REALTIME_TEST_HOOK_SECRET", HookSecret)
	c := Start(t, notifySite)
	ann := login(t, c.Addr("site"), "ann")
	ann.subscribe("chat:1")
	ann.publish("chat:1", 1)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "valid ") {
			t.Fatalf("the app finds a request %s", lines.Text())
		}
		if strings.Contains(lines.Text(), "message") {
			return
		}
	}
	t.Fatal("the app gets no message")
}
