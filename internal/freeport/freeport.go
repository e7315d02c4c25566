// Package freeport finds ports for servers that tests start.
package freeport
