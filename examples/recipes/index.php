<?php

foreach (['REALTIME_URL', 'REALTIME_API_KEY', 'WEBHOOK_SECRET'] as $name) {
    if (!getenv($name)) {
        error_log("$name is not set");
        http_response_code(500);
        exit;
    }
}

function publish(string $channel, mixed $content): bool
{
    $headers = ['Authorization: Bearer ' . getenv('REALTIME_API_KEY'), 'Content-Type: application/json'];
    $options = ['method' => 'POST', 'header' => $headers, 'content' => json_encode(['content' => $content])];
    $url = getenv('REALTIME_URL') . '/channels/' . rawurlencode($channel) . '/messages';
    $sent = @file_get_contents($url, false, stream_context_create(['http' => $options])) !== false;
    $sent || error_log(error_get_last()['message']);
    return $sent;
}

function genuine(string $body): bool
{
    $time = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? 0;
    $key = base64_decode(substr(getenv('WEBHOOK_SECRET'), strlen('whsec_')));
    $signed = ($_SERVER['HTTP_WEBHOOK_ID'] ?? '') . ".$time.$body";
    $want = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true));
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $signature) {
        if (hash_equals($want, $signature)) {
            return abs(time() - (int)$time) < 300;
        }
    }
    return false;
}

function answer(int $status, mixed $value = null, string $type = 'application/json'): void
{
    http_response_code($status);
    header("Content-Type: $type");
    echo $value === null ? '' : json_encode($value);
}

$body = file_get_contents('php://input');
$in = json_decode($body, true);
switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    case '/login': // check a password here
        session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax']);
        $_SESSION['user'] = $_GET['user'];
        answer(204);
        break;
    case '/rt/authorize':
        session_start(['read_and_close' => true]);
        isset($_SESSION['user']) ? answer(200, ['user' => $_SESSION['user']]) : answer(401);
        break;
    case '/rt/message': // store it here
        answer(200, ['content' => ['text' => strtoupper($in['content']['text']), 'by' => $in['user']]]);
        break;
    case '/rt/call':
        if ($in['method'] === 'sum') {
            answer(200, ['user' => $in['user'], 'sum' => array_sum($in['params'])]);
        } else {
            answer(404, ['code' => 'NO_SUCH_METHOD'], 'application/problem+json');
        }
        break;
    case '/rt/notify':
        if (!genuine($body)) {
            answer(401);
            break;
        }
        foreach ($in['data']['events'] as $event) {
            if (!publish('log', ($event['sender'] ?? 'the app') . " wrote in {$event['channel']}")) {
                answer(502); // Caddy sends the events again.
                break 2;
            }
        }
        answer(204);
}
