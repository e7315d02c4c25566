# A Caddy with this module, without rights of root.
#
#   docker build -t caddy-realtime .
#   docker run -p 8080:8080 -v ./Caddyfile:/etc/caddy/Caddyfile:ro -v caddy-data:/data caddy-realtime
#
# The process is user 1000. It may listen on ports 80 and 443 because the file of the
# program carries that one right.

FROM golang:1.26 AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libcap2-bin && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /caddy ./cmd/caddy && setcap cap_net_bind_service=+ep /caddy

FROM alpine:3.22
RUN apk add --no-cache ca-certificates mailcap \
	&& adduser -D -u 1000 caddy \
	&& mkdir -p /config/caddy /data/caddy /data/realtime /etc/caddy /srv \
	&& chown -R caddy /config /data
COPY --from=build /caddy /usr/bin/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data \
	READY=http://localhost:8080/realtime/ready
USER caddy
WORKDIR /srv
VOLUME /config /data
EXPOSE 80 443 443/udp 8080 2019

# READY is the address at which the directive answers: <site><path>/ready. A node that
# drains, or has lost its Redis, is not healthy. It takes no new clients then.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD wget -q -O /dev/null "$READY" || exit 1

# The drain at exit takes up to 4 seconds, or what `drain` says: stop with a longer
# grace period, as with `docker stop -t 30`.
STOPSIGNAL SIGTERM
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
