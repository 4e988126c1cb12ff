package phases

import "sync"

// LeftBehind remembers the sources of one run that did not return although their
// context was done. They are not evaluated again until they return. Its flags are those
// of one vocabulary. The zero value is ready to use, a nil *LeftBehind remembers
// nothing, and both are safe for concurrent use.
//
// If requests follow one another, at most one call of each flag's source is left behind
// at any moment.
type LeftBehind struct {
	mu     sync.Mutex
	behind map[Flags]*straggler
}

// straggler holds the calls of one flag's source that have not returned.
type straggler struct {
	calls int
	err   *LeftBehindError // of the first
}

// Flags returns the flags whose sources have not returned yet.
func (l *LeftBehind) Flags() (flags Flags) {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for flag := range l.behind {
		flags |= flag
	}
	return flags
}

// of returns the error of a flag whose source has not returned, or nil.
func (l *LeftBehind) of(flag Flags) *LeftBehindError {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.behind[flag]; s != nil {
		return s.err
	}
	return nil
}

// add remembers one call for each of the flags, until its result arrives.
func (l *LeftBehind) add(flags Flags, err *LeftBehindError, returned <-chan result) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.behind == nil {
		l.behind = make(map[Flags]*straggler)
	}
	for flag := range flags.Each {
		if l.behind[flag] == nil {
			l.behind[flag] = &straggler{err: err}
		}
		l.behind[flag].calls++
	}
	go func() {
		for range flags.Len() {
			l.remove((<-returned).flag)
		}
	}()
}

// remove forgets one call of the flag's source, which has returned.
func (l *LeftBehind) remove(flag Flags) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.behind[flag]
	if s.calls--; s.calls == 0 {
		delete(l.behind, flag)
	}
}
