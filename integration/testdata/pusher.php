<?php

// The HTTP API as an app in PHP uses it. The pages that Node opens have joined channels before.
require getenv('PUSHER_PHP');

function equal(string $what, mixed $got, mixed $want): void
{
    if ($got !== $want) {
        throw new Exception($what . ': ' . json_encode($got) . ', not ' . json_encode($want));
    }
}

function status(callable $request): int
{
    try {
        $request();
    } catch (RuntimeException $e) {
        return $e->getCode();
    }
    return 200;
}

$app = fn (string $secret = 'secret-1') =>
    new PusherApp('my-app', 'key-1', $secret, getenv('SITE_URL'), base64_encode(str_repeat("\7", 32)));
$pusher = $app();
equal('trigger', $pusher->trigger(['news'], 'App\\Events\\Paid', ['path' => 'a/b', 'text' => "é ☂ \u{2028}"]), []);
equal('trigger with info', $pusher->trigger(['news', 'presence-room'], 'x', 'text', ['info' => 'user_count,subscription_count']), [
    'channels' => ['news' => ['subscription_count' => 1], 'presence-room' => ['subscription_count' => 1, 'user_count' => 1]],
]);
equal('batch', $pusher->triggerBatch([
    ['channel' => 'news', 'name' => 'first', 'data' => [1]],
    ['channel' => 'news', 'name' => 'second', 'data' => ['a' => null]],
]), []);
equal('batch with info', $pusher->triggerBatch([
    ['channel' => 'news', 'name' => 'x', 'data' => 1],
    ['channel' => 'presence-room', 'name' => 'x', 'data' => 1, 'info' => 'user_count'],
]), ['batch' => [[], ['user_count' => 1]]]);
equal('encrypted', $pusher->trigger(['private-encrypted-vault'], 'opened', ['code' => '12/34']), []);
equal('channels', array_keys($pusher->get('/channels', ['filter_by_prefix' => 'presence-', 'info' => 'user_count'])['channels']), ['presence-room']);
equal('channel', $pusher->get('/channels/presence-room', ['info' => 'user_count,subscription_count']), ['occupied' => true, 'subscription_count' => 1, 'user_count' => 1]);
equal('no channel', $pusher->get('/channels/nobody'), ['occupied' => false]);
equal('users', $pusher->get('/channels/presence-room/users'), ['users' => [['id' => '7']]]);
equal('terminate', $pusher->post('/users/nobody/terminate_connections', []), []);
equal('a wrong secret', status(fn () => $app('other')->trigger(['news'], 'x', 1)), 401);
equal('an event without a name', status(fn () => $pusher->trigger(['news'], '', 1)), 400);
equal('data of 10 KiB', status(fn () => $pusher->trigger(['news'], 'x', str_repeat('x', 10240))), 200);
equal('more data', status(fn () => $pusher->trigger(['news'], 'x', str_repeat('x', 10241))), 413);
$pusher->trigger(['news'], 'end', 'PHP');
echo 'as it must be';
