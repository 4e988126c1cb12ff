package controller

import (
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// behindFor is how long a cache is assumed to be behind. After that, a version older
// than the one written is accepted: etcd may have been restored from a backup.
const behindFor = 10 * time.Second

// ownWrites remembers what this replica last wrote of each object. With it the replica
// neither uses a version older than its own write nor reacts to the events of its own
// writes. Each written object has one small entry, from the first write until the object
// is found gone or its deletion is seen.
type ownWrites struct {
	mu sync.Mutex
	of map[types.NamespacedName]*ownWrite
}

type ownWrite struct {
	uid types.UID
	// version is the last version that is known to exist, since at.
	version string
	at      time.Time
	// read is the version from which the last write started, and wrote is the version
	// that it made.
	read, wrote string
	// writing reports whether a write is in progress, and answered whether its event is
	// wanted, since it brings the next phase.
	writing, answered bool
	// held are the versions of events that were held back meanwhile.
	held []string
	// recorded is the last error that was recorded as an event but is in neither the state
	// nor a condition.
	recorded string
}

// entry returns the entry of an object, and makes it if there is none.
func (o *ownWrites) entry(key types.NamespacedName, uid types.UID) *ownWrite {
	if o.of == nil {
		o.of = map[types.NamespacedName]*ownWrite{}
	}
	if o.of[key] == nil {
		o.of[key] = &ownWrite{uid: uid}
	}
	return o.of[key]
}

// replaced reports whether the entry under a key belongs to an earlier object of that
// name.
func (o *ownWrites) replaced(key types.NamespacedName, uid types.UID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.of[key]
	return e != nil && e.uid != uid
}

// behind reports whether a version that was read is older than one that is known to
// exist.
func (o *ownWrites) behind(key types.NamespacedName, version string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.of[key]
	return e != nil && now.Sub(e.at).Abs() < behindFor && older(version, e.version)
}

// older reports whether version a is older than b. It is false if they are not
// integers.
func older(a, b string) bool {
	x, errA := strconv.ParseUint(a, 10, 64)
	y, errB := strconv.ParseUint(b, 10, 64)
	return errA == nil && errB == nil && x < y
}

// begin records that a write is about to be tried, starting from the version that was
// read.
func (o *ownWrites) begin(key types.NamespacedName, uid types.UID, read string, answered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.entry(key, uid)
	e.read, e.writing, e.answered, e.held = read, true, answered, nil
}

// saw records that a version was read past the cache.
func (o *ownWrites) saw(key types.NamespacedName, version string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e := o.of[key]; e != nil {
		e.version, e.at = version, now
	}
}

// made records that a write made a version.
func (o *ownWrites) made(key types.NamespacedName, version string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e := o.of[key]; e != nil {
		e.version, e.at, e.wrote = version, now, version
	}
}

// end records that the write is over, and reports whether an event of another client's
// write was held back meanwhile.
func (o *ownWrites) end(key types.NamespacedName) (missed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.of[key]
	if e == nil {
		return false // the object is gone
	}
	for _, version := range e.held {
		missed = missed || e.isNews(version)
	}
	e.writing, e.held = false, nil
	return missed
}

// isNews reports whether a version contains what the last writing reconcile did not
// know.
func (e *ownWrite) isNews(version string) bool {
	return version != e.wrote && version != e.read && !older(version, e.read)
}

// wanted reports whether an event that brought a new version must be answered.
func (o *ownWrites) wanted(key types.NamespacedName, version string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.of[key]
	switch {
	case e == nil || e.answered:
		return true
	case e.writing:
		e.held = append(e.held, version)
		return false
	}
	return e.isNews(version)
}

// first reports whether an error differs from the last that was recorded as an event.
func (o *ownWrites) first(key types.NamespacedName, uid types.UID, text string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.entry(key, uid)
	first := e.recorded != text
	e.recorded = text
	return first
}

// forget drops the entry of an object that is gone.
func (o *ownWrites) forget(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.of, key)
}
