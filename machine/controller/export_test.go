package controller

import (
	"maps"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Remembered returns the number of objects whose own writes are remembered.
func Remembered[T client.Object](r *Reconciler[T]) int {
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	return len(r.own.of)
}

// MaxMessage is the maximum size of a message of a condition or an event.
const MaxMessage = maxMessage

// Short bounds a message.
func Short(message string) string { return short(message) }

// RememberedItems returns the items of all objects whose next calls a list remembers.
func RememberedItems[O client.Object, I any](r *Reconciler[O]) (keys []string) {
	l := r.driver.(*list[O, I])
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.wakes {
		keys = append(keys, slices.Sorted(maps.Keys(w.of))...)
	}
	return keys
}
