<?php

// The app of the scenario with Laravel Echo: it signs and publishes.
require getenv('PUSHER_PHP');
$app = new PusherApp('my-app', 'key-1', 'secret-1', getenv('SITE_URL'), base64_encode(str_repeat("\7", 32)));
if ($_SERVER['REQUEST_URI'] === '/trigger') {
    [$channels, $event, $data, $socket] = json_decode(file_get_contents('php://input'), true);
    $app->trigger($channels, $event, $data, $socket ? ['socket_id' => $socket] : []);
    exit;
}
$channel = $_POST['channel_name'];
if (str_ends_with($channel, 'forbidden')) {
    http_response_code(403);
} elseif (str_ends_with($channel, 'forged')) {
    echo json_encode(['auth' => 'key-1:00', 'channel_data' => '{"user_id":"id-eve"}']);
} else {
    [$id, $name] = explode('/', $_SERVER['HTTP_X_USER'] . '/' . $_SERVER['HTTP_X_USER']);
    $member = ['user_id' => 'id-' . $id, 'user_info' => ['id' => 'id-' . $id, 'name' => $name]];
    echo json_encode($app->authorizeChannel($channel, $_POST['socket_id'], str_starts_with($channel, 'presence-') ? $member : null));
}
