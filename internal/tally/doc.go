// Package tally counts for operators, with nothing but the standard library, so that the core
// packages may use it. Counters start with their owner and only grow. Package metrics reads
// them when somebody asks; nothing is registered anywhere.
package tally
