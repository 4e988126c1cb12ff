package controller

import (
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// behindFor is how long a cache is believed to be behind. After that an older
// version than was written is taken as it is: etcd may have been restored from
// a backup.
const behindFor = 10 * time.Second

// ownWrites remembers what this replica wrote last of each object: so that it
// neither reads behind itself nor answers its own writes. There is one small
// entry for each object, and it goes when the object does.
type ownWrites struct {
	mu sync.Mutex
	of map[types.NamespacedName]*ownWrite
}

type ownWrite struct {
	// version is the last version that is known to be there, since at.
	version string
	at      time.Time
	// writing says that a write is under way, and answered that its event is
	// wanted: it brings the next phase on.
	writing, answered bool
	// held are the versions of events that were held back meanwhile.
	held []string
}

func (o *ownWrites) entry(key types.NamespacedName) *ownWrite {
	if o.of == nil {
		o.of = map[types.NamespacedName]*ownWrite{}
	}
	if o.of[key] == nil {
		o.of[key] = &ownWrite{}
	}
	return o.of[key]
}

// behind says whether a version that was read is older than what is known to
// be there.
func (o *ownWrites) behind(key types.NamespacedName, version string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.of[key]
	return e != nil && now.Sub(e.at) < behindFor && older(version, e.version)
}

// older says whether one version of an object is older than another. They are
// integers; of others, nothing is known.
func older(a, b string) bool {
	x, errA := strconv.ParseUint(a, 10, 64)
	y, errB := strconv.ParseUint(b, 10, 64)
	return errA == nil && errB == nil && x < y
}

// begin says that a write is about to be tried.
func (o *ownWrites) begin(key types.NamespacedName, answered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.entry(key)
	e.writing, e.answered, e.held = true, answered, nil
}

// saw says that a version was read past the cache, or written.
func (o *ownWrites) saw(key types.NamespacedName, version string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.entry(key)
	e.version, e.at = version, now
}

// end says that the write is over, and tells whether an event of somebody
// else's write was held back meanwhile.
func (o *ownWrites) end(key types.NamespacedName) (missed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.entry(key)
	for _, version := range e.held {
		missed = missed || version != e.version
	}
	e.writing, e.held = false, nil
	return missed
}

// wanted says whether an event that brought a new version is to be answered.
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
	return version != e.version
}

// forget drops the entry of an object that is gone.
func (o *ownWrites) forget(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.of, key)
}
