package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// stalledAfter is how long tests may do nothing, beside the time that the longest of them takes without a mutant.
const stalledAfter = 5 * time.Second

// outputOf runs tests and returns what they write. It kills them when they do nothing for as long as patience says:
// tests that wait for ever would otherwise last until their limit.
func outputOf(ctx context.Context, cmd *exec.Cmd, patience time.Duration) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	go endStalled(ctx, cmd.Process, patience)
	err := cmd.Wait()
	end()
	return out.Bytes(), err
}

// endStalled kills a process when it does nothing. It returns when ctx ends. The system says what a process does
// only in /proc: without it no process counts as stalled.
func endStalled(ctx context.Context, p *os.Process, patience time.Duration) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	var before uint64
	idle := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		used, sleeps, err := activity(p.Pid)
		if err != nil {
			return
		}
		if idle += time.Second; !sleeps || used != before {
			before, idle = used, 0
		}
		if idle > patience {
			_ = p.Kill() // it may have ended meanwhile
			return
		}
	}
}

// activity returns how much of a processor a process has used, in ticks, and whether all of its threads sleep. A
// process of a busy machine that waits for a processor does not sleep.
func activity(pid int) (used uint64, sleeps bool, err error) {
	used, _, err = status(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false, err
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return 0, false, err
	}
	for _, path := range threads {
		if _, state, err := status(path); err == nil && state != 'S' { // the thread may have ended
			return used, false, nil
		}
	}
	return used, true, nil
}

// status reads a file of /proc that says in which state a process or thread is.
func status(path string) (used uint64, state byte, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	// The name of the program comes before the state, and may have spaces and brackets.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("%s has %d fields", path, len(fields))
	}
	for _, field := range fields[11:13] { // in the program, and in the kernel for it
		n, err := strconv.ParseUint(string(field), 10, 64)
		if err != nil {
			return 0, 0, err
		}
		used += n
	}
	return used, fields[0][0], nil
}
