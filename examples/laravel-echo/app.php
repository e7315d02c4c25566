<?php

// Stands in for a Laravel app. There, routes/channels.php says who may join, and the event MessageSent
// goes out by broadcast(new MessageSent(...))->toOthers().
//
// Everybody may join under any name, because it is an example. A real app takes the user from its session.
require __DIR__ . '/pusher.php';

$site = 'http://localhost:' . (getenv('PORT') ?: '8080');
$pusher = new PusherApp('my-app', 'app-key', getenv('PUSHER_APP_SECRET') ?: 'app-secret-of-this-example', getenv('SITE_URL') ?: $site);
$user = [
    'id' => substr($_SERVER['HTTP_X_USER_ID'] ?? '', 0, 40),
    'name' => rawurldecode(substr($_SERVER['HTTP_X_USER_NAME'] ?? '', 0, 300)),
];
header('Content-Type: application/json');

if ($_SERVER['REQUEST_URI'] === '/broadcasting/auth' && $user['id'] !== '') {
    $channel = $_POST['channel_name'] ?? '';
    if (preg_match('/^presence-chat\.\w{1,40}$/D', $channel)) {
        echo json_encode($pusher->authorizeChannel($channel, $_POST['socket_id'] ?? '', ['user_id' => $user['id'], 'user_info' => $user]));
        exit;
    }
}
if ($_SERVER['REQUEST_URI'] === '/messages' && $user['id'] !== '') {
    $message = json_decode(file_get_contents('php://input'), true);
    $room = $message['room'] ?? '';
    $text = substr(trim($message['text'] ?? ''), 0, 1000);
    if ($text !== '' && preg_match('/^\w{1,40}$/D', $room)) {
        $socket = array_filter(['socket_id' => $_SERVER['HTTP_X_SOCKET_ID'] ?? '']);
        $pusher->trigger(['presence-chat.' . $room], 'App\\Events\\MessageSent', ['name' => $user['name'], 'text' => $text], $socket);
        echo '{}';
        exit;
    }
}
http_response_code(403);
