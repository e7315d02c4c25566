<?php

// What Laravel's package pusher/pusher-php-server does for an app, as far as this example needs it: sign
// subscriptions, and sign requests to the HTTP API. A Laravel app has the package and does not
// need this file.
class PusherApp
{
    /** $url is the address of the site, $master the key of encrypted channels in base64. */
    public function __construct(
        private string $id,
        private string $key,
        private string $secret,
        private string $url,
        private string $master = '',
    ) {
    }

    /** Signs a subscription. $member is the user_id and user_info in a presence channel. */
    public function authorizeChannel(string $channel, string $socket, ?array $member = null): array
    {
        if (!preg_match('/^\d+\.\d+$/D', $socket)) {
            throw new InvalidArgumentException('this is not the id of a connection');
        }
        $data = $member === null ? null : json_encode($member);
        $auth = ['auth' => $this->key . ':' . $this->sign($socket . ':' . $channel . ($data === null ? '' : ':' . $data))];
        if ($data !== null) {
            $auth['channel_data'] = $data;
        }
        if (str_starts_with($channel, 'private-encrypted-')) {
            $auth['shared_secret'] = base64_encode($this->sharedSecret($channel));
        }
        return $auth;
    }

    /** Publishes an event, to everybody but the connection that $params name as socket_id. */
    public function trigger(array $channels, string $event, mixed $data, array $params = []): array
    {
        return $this->post('/events', $this->event($channels[0], $event, $data) + ['channels' => $channels] + $params);
    }

    /** Publishes several events, each with a channel, a name and data. */
    public function triggerBatch(array $events): array
    {
        foreach ($events as &$e) {
            $e = $this->event($e['channel'], $e['name'], $e['data']) + $e;
        }
        return $this->post('/batch_events', ['batch' => $events]);
    }

    public function get(string $path, array $params = []): array
    {
        return $this->request('GET', $path, $params);
    }

    public function post(string $path, array $body): array
    {
        return $this->request('POST', $path, [], json_encode($body ?: new stdClass()));
    }

    private function event(string $channel, string $name, mixed $data): array
    {
        $text = is_string($data) ? $data : json_encode($data);
        if (str_starts_with($channel, 'private-encrypted-')) {
            $nonce = random_bytes(SODIUM_CRYPTO_SECRETBOX_NONCEBYTES);
            $sealed = sodium_crypto_secretbox($text, $nonce, $this->sharedSecret($channel));
            $text = json_encode(['nonce' => base64_encode($nonce), 'ciphertext' => base64_encode($sealed)]);
        }
        return ['name' => $name, 'data' => $text];
    }

    private function sharedSecret(string $channel): string
    {
        return hash('sha256', $channel . base64_decode($this->master), true);
    }

    private function sign(string $text): string
    {
        return hash_hmac('sha256', $text, $this->secret);
    }

    /** The signature covers the method, the path, and the parameters in order and without escapes. */
    private function request(string $method, string $path, array $params, ?string $body = null): array
    {
        $path = '/apps/' . $this->id . $path;
        $params += ['auth_key' => $this->key, 'auth_timestamp' => (string) time(), 'auth_version' => '1.0'];
        if ($body !== null) {
            $params['body_md5'] = md5($body);
        }
        ksort($params);
        $pairs = [];
        foreach ($params as $name => $value) {
            $pairs[] = strtolower($name) . '=' . (is_array($value) ? implode(',', $value) : $value);
        }
        $params['auth_signature'] = $this->sign($method . "\n" . $path . "\n" . implode('&', $pairs));
        $context = stream_context_create(['http' => [
            'method' => $method,
            'header' => "Content-Type: application/json\r\nConnection: close",
            'content' => $body ?? '',
            'ignore_errors' => true,
            'timeout' => 10,
        ]]);
        $answer = file_get_contents($this->url . $path . '?' . http_build_query($params), false, $context);
        if ($answer === false) {
            throw new RuntimeException('the server does not answer');
        }
        $status = (int) explode(' ', $http_response_header[0])[1];
        if ($status !== 200) {
            throw new RuntimeException($status . ': ' . $answer, $status);
        }
        return json_decode($answer, true);
    }
}
