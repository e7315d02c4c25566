// Package archtest holds the borders between the packages of this module: who may
// import whom, and why. The table is in rules.go, and the test compares it with
// what the compiler would link.
package archtest
