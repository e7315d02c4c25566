import base64, hashlib, hmac, json, os, re, secrets, sys, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

URL, KEY, SECRET = (os.environ.get(name) or sys.exit(f"{name} is not set") for name in ("REALTIME_URL", "REALTIME_API_KEY", "WEBHOOK_SECRET"))
SECRET = base64.b64decode(SECRET.removeprefix("whsec_"))
sessions = {}


def publish(channel, content):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    body = json.dumps({"content": content}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{URL}/channels/{quote(channel, safe='')}/messages", body, headers)).close()


def genuine(headers, body):
    stamp = headers.get("webhook-timestamp", "0")
    signed = f"{headers.get('webhook-id')}.{stamp}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split()
    return abs(time.time() - int(stamp)) < 300 and any(hmac.compare_digest(want, s) for s in given)


class App(BaseHTTPRequestHandler):
    def answer(self, status, value=None, **headers):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # /rt/authorize
        session = re.search(r"session=([\w-]+)", self.headers.get("Cookie", ""))
        user = session and sessions.get(session[1])
        self.answer(200, {"user": user}) if user else self.answer(401)

    def do_POST(self):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if url.path == "/login":  # check a password here
            sessions[key := secrets.token_urlsafe()] = parse_qs(url.query)["user"][0]
            self.answer(204, Set_Cookie=f"session={key}; HttpOnly; SameSite=Lax")
        elif url.path == "/rt/message":  # store it here
            m = json.loads(body)
            self.answer(200, {"content": {"text": m["content"]["text"].upper(), "by": m["user"]}})
        elif url.path == "/rt/call":
            c = json.loads(body)
            if c["method"] == "sum":
                return self.answer(200, {"user": c["user"], "sum": sum(c["params"])})
            self.answer(404, {"code": "NO_SUCH_METHOD"}, Content_Type="application/problem+json")
        elif url.path == "/rt/notify" and genuine(self.headers, body):
            for event in json.loads(body)["data"]["events"]:
                publish("log", f"{event.get('sender', 'the app')} wrote in {event['channel']}")
            self.answer(204)
        else:
            self.answer(401)


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("APP_PORT", 3000))), App).serve_forever()
