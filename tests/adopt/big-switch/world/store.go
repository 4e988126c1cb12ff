package world

import (
	"context"
	"encoding/json"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrKilled is returned for a write during which the controller dies.
var ErrKilled = errors.New("the controller was killed")

// Store is an API server that holds one object, as JSON. Only Get and Update
// work.
type Store struct {
	client.Client
	World *World
	// Wrote is called with each object that is stored.
	Wrote  func(text []byte)
	object []byte
}

// Get reads the object.
func (s *Store) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	return json.Unmarshal(s.object, o)
}

// Update stores the object.
func (s *Store) Update(_ context.Context, o client.Object, _ ...client.UpdateOption) error {
	if s.World.dies(s.World.script.Lost) {
		return ErrKilled
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	s.object = text
	if s.Wrote != nil {
		s.Wrote(text)
	}
	if s.World.dies(s.World.script.Kept) {
		return ErrKilled
	}
	return nil
}

// dies reports whether the controller dies at this moment, once.
func (w *World) dies(at map[int]bool) bool {
	if !at[w.calls] {
		return false
	}
	delete(at, w.calls)
	return true
}
