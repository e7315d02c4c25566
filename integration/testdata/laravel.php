<?php

// Laravel's own PusherBroadcaster, of Debian's package, with the example's class in place of the SDK.
namespace Pusher {
    require getenv('PUSHER_PHP');
    class ApiErrorException extends \Exception
    {
    }
    class Pusher extends \PusherApp
    {
        public function socket_auth(string $channel, string $socket): string
        {
            return json_encode($this->authorizeChannel($channel, $socket));
        }

        public function presence_auth(string $channel, string $socket, mixed $id, mixed $info): string
        {
            return json_encode($this->authorizeChannel($channel, $socket, ['user_id' => $id, 'user_info' => $info]));
        }
    }
}

namespace {
    require '/usr/share/php/Illuminate/autoload.php';

    use Illuminate\Broadcasting\Broadcasters\PusherBroadcaster;
    use Illuminate\Broadcasting\PrivateChannel;
    use Illuminate\Http\Request;

    class User
    {
        public function getAuthIdentifier(): int
        {
            return 7;
        }
    }
    $broadcaster = new PusherBroadcaster(new Pusher\Pusher('my-app', 'key-1', 'secret-1', getenv('SITE_URL')));
    $broadcaster->channel('x', fn ($user) => $user->getAuthIdentifier() === 7);
    $broadcaster->channel('room', fn ($user) => ['name' => 'Ann / Zoë']);
    $broadcaster->channel('forbidden', fn ($user) => false);
    $broadcaster->channel('encrypted-vault', fn ($user) => true);
    if (PHP_SAPI === 'cli') {
        $broadcaster->broadcast(['news', new PrivateChannel('x')], 'App\\Events\\Paid', ['order' => 7, 'socket' => $argv[1] ?? null]);
        echo 'as it must be';
        exit;
    }
    $request = Request::capture();
    $request->setUserResolver(fn () => new User());
    try {
        echo json_encode($broadcaster->auth($request));
    } catch (Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException) {
        http_response_code(403);
    }
}
