<?php
// Laravel: routes/web.php. Take rt/* out of the check of CSRF tokens: these requests come from Caddy.
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Http;
use Illuminate\Support\Facades\Route;

function publish(string $channel, mixed $content): void
{
    $url = env('REALTIME_URL') . '/channels/' . rawurlencode($channel) . '/messages';
    Http::withToken(env('REALTIME_API_KEY'))->post($url, ['content' => $content])->throw();
}

function genuine(Request $r): bool
{
    $secret = env('WEBHOOK_SECRET') ?: throw new RuntimeException('WEBHOOK_SECRET is not set');
    $key = base64_decode(substr($secret, strlen('whsec_')));
    $time = $r->header('webhook-timestamp');
    $signed = $r->header('webhook-id') . ".$time." . $r->getContent();
    $want = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true));
    $signatures = explode(' ', $r->header('webhook-signature', ''));
    return abs(time() - (int)$time) < 300 && array_filter($signatures, fn ($s) => hash_equals($want, $s));
}

Route::post('/login', function (Request $r) { // check a password here
    $r->session()->put('user', $r->input('user'));
    return response()->noContent();
});
Route::get('/rt/authorize', fn (Request $r) => ['user' => $r->session()->get('user') ?? abort(401)]);
Route::post('/rt/message', fn (Request $r) => // store it here
    ['content' => ['text' => strtoupper($r->input('content.text')), 'by' => $r->input('user')]]);
Route::post('/rt/call', fn (Request $r) => $r->input('method') === 'sum'
    ? ['user' => $r->input('user'), 'sum' => array_sum($r->input('params'))]
    : response()->json(['code' => 'NO_SUCH_METHOD'], 404, ['Content-Type' => 'application/problem+json']));
Route::post('/rt/notify', function (Request $r) {
    abort_unless(genuine($r), 401);
    foreach ($r->input('data.events') as $event) {
        publish('log', ($event['sender'] ?? 'the app') . " wrote in {$event['channel']}");
    }
    return response()->noContent();
});
