package world

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrKilled is returned by a write during which the controller is killed.
var ErrKilled = errors.New("the controller was killed")

// Store is an API server that holds one object. Only Get and Update work.
type Store struct {
	client.Client
	World *World
	// Wrote is called with each stored object, which it must not change.
	Wrote  func(client.Object)
	object client.Object
}

// Get reads the object.
func (s *Store) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	reflect.ValueOf(o).Elem().Set(reflect.ValueOf(s.object.DeepCopyObject()).Elem())
	return nil
}

// Update stores the object.
func (s *Store) Update(_ context.Context, o client.Object, _ ...client.UpdateOption) error {
	if s.World.dies(s.World.script.Lost) {
		return ErrKilled
	}
	s.object = o.DeepCopyObject().(client.Object)
	if s.Wrote != nil {
		s.Wrote(s.object)
	}
	if s.World.dies(s.World.script.Kept) {
		return ErrKilled
	}
	return nil
}

// Restart replaces the object by its JSON form, as a restarted controller reads it.
func (s *Store) Restart() error {
	text, err := json.Marshal(s.object)
	if err != nil {
		return err
	}
	o := reflect.New(reflect.TypeOf(s.object).Elem()).Interface().(client.Object)
	s.object = o
	return json.Unmarshal(text, o)
}

// dies reports whether the controller is killed at this moment. It reports true
// once for each moment.
func (w *World) dies(at map[int]bool) bool {
	if !at[w.calls] {
		return false
	}
	delete(at, w.calls)
	return true
}
