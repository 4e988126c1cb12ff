package controller

import "sigs.k8s.io/controller-runtime/pkg/client"

// Remembered returns the number of objects of which own writes are remembered.
func Remembered[T client.Object](r *Reconciler[T]) int {
	r.own.mu.Lock()
	defer r.own.mu.Unlock()
	return len(r.own.of)
}

// MaxMessage is the longest message of a condition or an event.
const MaxMessage = maxMessage

// Short bounds a message.
func Short(message string) string { return short(message) }
