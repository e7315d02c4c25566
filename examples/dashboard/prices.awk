# Publishes prices that nobody pays, once a second, all with one request.

BEGIN {
	srand()
	n = split("HOP 84.20,BARLEY 31.75,YEAST 12.40,MALT 57.90,WATER 3.15,CORK 21.60", start, ",")
	for (i = 1; i <= n; i++) {
		split(start[i], pair, " ")
		name[i] = pair[1]
		open[i] = pair[2]
		for (k = 1; k <= 40; k++) past[i, k] = step(k > 1 ? past[i, k - 1] : open[i])
	}
	curl = "curl --silent --output /dev/null --max-time 5 --header 'Authorization: Bearer " key "' --header 'Content-Type: application/json' --data-binary @- " url
	for (;;) {
		body = ""
		for (i = 1; i <= n; i++) {
			for (k = 1; k < 40; k++) past[i, k] = past[i, k + 1]
			past[i, 40] = step(past[i, 39])
			body = body (i > 1 ? "," : "") "{\"channels\":[\"prices:" name[i] "\"],\"event\":\"" name[i] "\",\"content\":\"" fragment(i) "\"}"
		}
		print "[" body "]" | curl
		close(curl)
		system("sleep 1")
	}
}

# step returns the price after a price.
function step(price) { return price * (1 + (rand() - 0.5) / 60) }

# fragment returns the HTML of a price: the number, the change and the line of the last 40 seconds.
function fragment(i,    k, low, high, points, change) {
	low = high = past[i, 1]
	for (k = 2; k <= 40; k++) {
		if (past[i, k] < low) low = past[i, k]
		if (past[i, k] > high) high = past[i, k]
	}
	for (k = 1; k <= 40; k++) points = points sprintf("%.1f,%.1f ", (k - 1) * 100 / 39, 29 - (past[i, k] - low) * 28 / (high - low + 0.0001))
	change = (past[i, 40] / open[i] - 1) * 100
	return sprintf("<b>%.2f</b> <i class='%s'>%+.2f %%</i><svg viewBox='0 0 100 30' preserveAspectRatio='none' aria-hidden='true'><polyline points='%s'/></svg>", \
		past[i, 40], change < 0 ? "down" : "up", change, points)
}
