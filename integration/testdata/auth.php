<?php

// What Laravel has at /broadcasting/auth. At any other path the script of the command line runs.
if ($_SERVER['REQUEST_URI'] !== '/broadcasting/auth') {
    require __DIR__ . '/pusher.php';
    exit;
}
require getenv('PUSHER_PHP');
$channel = $_POST['channel_name'];
if (str_ends_with($channel, 'forbidden')) {
    http_response_code(403);
    exit;
}
$member = str_starts_with($channel, 'presence-') ? ['user_id' => (int) $_SERVER['HTTP_X_USER'], 'user_info' => ['name' => 'Ann / Zoë']] : null;
$app = new PusherApp('my-app', 'key-1', 'secret-1', '', base64_encode(str_repeat("\7", 32)));
echo json_encode($app->authorizeChannel($channel, $_POST['socket_id'], $member));
